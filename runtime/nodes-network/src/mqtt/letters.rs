//! Messages that failed for good: where they are laid aside, and how they are run again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use flotilla_codec::{QoS, agreed};
use flotilla_engine::Shared;
use flotilla_engine::message::{Delivery, Msg, Outcome};
use flotilla_engine::trail::Trail;
use flotilla_mqtt::{Client, Outgoing, Publish, PublishProps, Receipt, Target, Ticket, Verdict};
use flotilla_tasks::Task;
use flotilla_value::{Object, Str, Value, from_json};

use super::broker::MqttBroker;

/// After a letter was refused everywhere it is tried again: after this, then twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a letter that waits looks whether its client drains or stops: what is not laid aside then goes to others.
const LOOK: Duration = Duration::from_millis(500);

/// A message that failed for good, and why.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The id of the mqtt-broker node that it came through.
    pub broker: Str,
    /// The topic that it came on.
    pub topic: Str,
    /// Its quality of service.
    pub qos: QoS,
    /// It was a retained message.
    pub retain: bool,
    /// The payload.
    pub payload: Bytes,
    /// MQTT 5's properties.
    pub props: PublishProps,
    /// The id of the node that failed; empty when replicas died.
    pub node: Str,
    /// What that node reported.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Replicas died of it, alone.
    pub died: bool,
    /// The message as it was where it failed; undefined when there was none.
    pub message: Value,
    /// Where its last delivery went.
    pub trail: Option<Arc<Trail>>,
}

/// Keeps letters where they outlive the replica. Put one into `Shared::extensions` as [`Letters`].
pub trait LetterBox: Send + Sync {
    /// Keeps a letter; answers what to call it. The reason when it could not be kept.
    fn keep(&self, letter: Letter) -> BoxFuture<'static, Result<String, String>>;
}

/// The letter box of this replica, as an extension.
pub struct Letters(pub Arc<dyn LetterBox>);

/// What became of letters, for metrics.
#[derive(Debug, Default)]
pub struct LetterCounts {
    /// Laid aside.
    pub kept: AtomicU64,
    /// Attempts that a broker or the store refused.
    pub refused: AtomicU64,
}

impl MqttBroker {
    /// The message, should it have to be laid aside.
    pub(super) fn letter(&self, publish: &Publish) -> Letter {
        let mut props = publish.props.as_deref().cloned().unwrap_or_default();
        props.subscription_ids.clear();
        props.user.retain(|(name, _)| !is_count(name));
        Letter {
            broker: self.id.clone(),
            topic: publish.topic.clone(),
            qos: publish.qos,
            retain: publish.retain,
            payload: publish.payload.clone(),
            props,
            node: Str::default(),
            error: String::new(),
            attempts: 0,
            died: false,
            message: Value::Undefined,
            trail: None,
        }
    }

    /// Lays a message aside, then acknowledges it. Until somebody has it, it is tried again, and not acknowledged.
    pub(super) fn lay_aside(&self, client: &Arc<Client>, letter: Letter, ticket: Ticket) {
        // While the node closes, the engine does not name it any more.
        let Some(broker) = self.me.upgrade() else {
            return ticket.settle(Verdict::Never);
        };
        let task = Task {
            name: "dead letter",
            owner: self.id.as_str().into(),
            ends: "the store or the broker has the message, or its connection ends",
            failure: "the message is not acknowledged and goes to another replica",
        };
        let (client, writing) = (client.clone(), self.letters.token());
        drop(task.spawn(async move {
            let _writing = writing;
            let verdict = if broker.until_kept(&client, &letter).await { Verdict::Ack } else { Verdict::Never };
            ticket.settle(verdict);
        }));
    }

    /// False when the connection is about to end before somebody had it.
    async fn until_kept(self: &Arc<Self>, client: &Arc<Client>, letter: &Letter) -> bool {
        let counts = self.shared.extensions().get_or_init(LetterCounts::default);
        let mut wait = FIRST;
        loop {
            let why = match self.keep(client, letter).await {
                Ok(name) => {
                    counts.kept.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(
                        topic = letter.topic.as_str(),
                        node = letter.node.as_str(),
                        attempts = letter.attempts,
                        "a message failed for good and is {name}: {}",
                        letter.error
                    );
                    return true;
                }
                Err(why) => why,
            };
            counts.refused.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                topic = letter.topic.as_str(),
                "a message that failed for good cannot be laid aside and is not acknowledged; it is tried again: {why}"
            );
            if tokio::time::timeout(wait, ending(client)).await.is_ok() {
                return false;
            }
            wait = (wait * 2).min(LONGEST);
        }
    }

    /// Keeps it in the store, and publishes it; one of the two is enough.
    async fn keep(self: &Arc<Self>, client: &Client, letter: &Letter) -> Result<String, String> {
        let kept = match self.shared.extensions().get::<Letters>() {
            Some(letters) => match tokio::time::timeout(PATIENCE, letters.0.keep(letter.clone())).await {
                Ok(kept) => kept,
                Err(_) => Err(format!("the store did not answer within {} s", PATIENCE.as_secs())),
            },
            None => Err("this replica has no store".to_owned()),
        };
        let (told, hears) = oneshot::channel();
        let (counts, in_store) = (self.shared.extensions().get_or_init(LetterCounts::default), kept.is_ok());
        self.publish_letter(
            letter,
            Box::new(move |result| {
                if let (Err(error), true) = (&result, in_store) {
                    counts.refused.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!("a dead letter is in the store, but cannot be published: {error}");
                }
                let _ = told.send(result);
            }),
        );
        let why = match kept {
            Ok(name) => return Ok(name),
            Err(why) => why,
        };
        // A broker that is away answers when it is back.
        tokio::select! {
            answer = hears => match answer {
                Ok(Ok(())) => Ok("published to the dead-letter topic".to_owned()),
                Ok(Err(error)) => Err(format!("{why}; {error}")),
                Err(_) => Err(why),
            },
            () = ending(client) => Err(why),
        }
    }

    fn publish_letter(&self, letter: &Letter, told: Box<dyn FnOnce(Result<(), flotilla_mqtt::PublishError>) + Send>) {
        let settings = self.shared.settings();
        if settings.dead_letter_topic.is_empty() {
            return;
        }
        let topic = settings.dead_letter_topic.replace("{group}", &settings.group).replace("{topic}", &letter.topic);
        let mut props = letter.props.clone();
        props.user.extend([
            (Str::new_static("flotilla-topic"), letter.topic.clone()),
            (Str::new_static("flotilla-node"), letter.node.clone()),
            (Str::new_static("flotilla-error"), Str::from(letter.error.as_str())),
        ]);
        let publish = Publish {
            qos: letter.qos.max(QoS::AtLeastOnce),
            topic: Str::from(topic),
            payload: letter.payload.clone(),
            props: Some(Box::new(props)),
            ..Publish::default()
        };
        self.ensure_publisher();
        self.publish(Outgoing { publish, receipt: Receipt::Call(told) });
    }
}

/// Waits until the client takes no more messages.
async fn ending(client: &Client) {
    while !client.is_ending() {
        tokio::time::sleep(LOOK).await;
    }
}

/// True for the properties in which the broker counts deaths.
fn is_count(name: &str) -> bool {
    name == agreed::DEATHS || name == agreed::DEATHS_ALONE
}

/// How many processes died while they worked on this message and on nothing else; the counts are taken out, as they are
/// not the publisher's.
pub(super) fn deaths_alone(publish: &mut Arc<Publish>) -> u32 {
    let user = publish.props.as_ref().map_or(&[][..], |props| &props.user[..]);
    if !user.iter().any(|(name, _)| is_count(name)) {
        return 0;
    }
    let alone = user.iter().find(|(name, _)| name == agreed::DEATHS_ALONE);
    let alone = alone.and_then(|(_, count)| count.parse().ok()).unwrap_or(0);
    if let Some(props) = &mut Arc::make_mut(publish).props {
        props.user.retain(|(name, _)| !is_count(name));
    }
    alone
}

/// Runs a letter through this replica's flow again, as if it had come once more for this group only. Answers how it ended,
/// and where it went.
///
/// # Errors
/// When no node of the flow takes it.
pub async fn replay(shared: &Arc<Shared>, letter: &Letter) -> Result<(Outcome, Option<Arc<Trail>>), String> {
    let broker = shared
        .config_node::<MqttBroker>(&letter.broker)
        .ok_or_else(|| format!("the flow has no mqtt-broker node \"{}\"", letter.broker))?;
    let publish = Publish {
        qos: letter.qos,
        retain: letter.retain,
        topic: letter.topic.clone(),
        payload: letter.payload.clone(),
        props: Some(Box::new(letter.props.clone())),
        ..Publish::default()
    };
    let consumers = broker.state.lock().all_consumers();
    let targets: Vec<Target> = consumers.iter().flat_map(|client| client.targets(&publish).to_vec()).collect();
    let Some(first) = targets.first() else {
        return Err(format!("no mqtt in node of the flow takes the topic \"{}\"", letter.topic));
    };
    let (told, hears) = oneshot::channel();
    let end = move |outcome: Outcome, trail: Option<&Arc<Trail>>| drop(told.send((outcome, trail.cloned())));
    let delivery = Delivery::begin_until(shared.deliveries(), first.node.clone(), None, end);
    delivery.record();
    if let Some(trail) = delivery.trail() {
        trail.came_as(&publish.topic);
    }
    broker.hand_over(&targets, Arc::new(publish), delivery);
    hears.await.map_err(|_| "the replica stopped".to_owned())
}

/// Gives a message to one node, and to no other before it, as part of a delivery that is recorded. Answers as [`replay`].
///
/// # Errors
/// When the flow does not have the node any more, or the message is none.
pub async fn replay_at(
    shared: &Arc<Shared>,
    node: &str,
    topic: &str,
    message: &serde_json::Value,
) -> Result<(Outcome, Option<Arc<Trail>>), String> {
    let Some(fields) = message.as_object() else { return Err("its message is no object".to_owned()) };
    let (told, hears) = oneshot::channel();
    let end = move |outcome: Outcome, trail: Option<&Arc<Trail>>| drop(told.send((outcome, trail.cloned())));
    let delivery = Delivery::begin_until(shared.deliveries(), Str::new(node), None, end);
    delivery.record();
    if let Some(trail) = delivery.trail() {
        trail.came_as(topic);
    }
    let object: Object = fields.iter().map(|(name, value)| (Str::new(name), revived(value))).collect();
    let msg = Msg::new(object).in_delivery(Some(delivery));
    if !shared.deliver(node, msg) {
        return Err(format!("the flow has no node \"{node}\" any more: run it again from the start"));
    }
    hears.await.map_err(|_| "the replica stopped".to_owned())
}

/// A value from JSON, buffers as buffers again: they are written as Node.js writes them.
fn revived(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Array(items) => Value::array(items.iter().map(revived).collect()),
        serde_json::Value::Object(fields) => match bytes_of(fields) {
            Some(bytes) => Value::Buffer(bytes),
            None => {
                Value::from(fields.iter().map(|(name, value)| (Str::new(name), revived(value))).collect::<Object>())
            }
        },
        plain => from_json(plain),
    }
}

/// The bytes of `{"type":"Buffer","data":[...]}`.
fn bytes_of(fields: &serde_json::Map<String, serde_json::Value>) -> Option<Bytes> {
    if fields.len() != 2 || fields.get("type")?.as_str()? != "Buffer" {
        return None;
    }
    let byte = |value: &serde_json::Value| value.as_u64().and_then(|number| u8::try_from(number).ok());
    fields.get("data")?.as_array()?.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn buffers_come_back_as_buffers_and_all_else_as_it_is() {
        let message = json!({"payload": {"type": "Buffer", "data": [1, 255]}, "list": [{"type": "Buffer", "data": []}],
            "other": {"type": "Buffer", "data": [256]}, "more": {"type": "Buffer", "data": [1], "x": 1}});
        let value = revived(&message);
        let is_buffer = |name: &str| matches!(value.get_ref(name), Some(Value::Buffer(_)));
        assert!(is_buffer("payload") && !is_buffer("other") && !is_buffer("more"));
        assert_eq!(flotilla_value::to_json(&value), Some(message));
    }
}
