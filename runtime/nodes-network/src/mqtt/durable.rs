//! `--durable-outbox`: what nobody could publish again is in the store until the broker has it.
//!
//! A message that came by MQTT is not acknowledged before its outputs are with the broker: another replica does it again when
//! this one dies. What comes of a tick, a request or a socket is done once, and its outputs die with the replica, unless they
//! are kept first.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flotilla_codec::QoS;
use flotilla_engine::Shared;
use flotilla_value::Str;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::broker::MqttBroker;
use flotilla_mqtt::{Outgoing, Publish, PublishError, PublishProps, Receipt};

/// Messages that are being written into the store at the same time. The others wait in their deliveries.
const AT_ONCE: usize = 64;
/// Messages that wait for that. A full queue is an error of the node that publishes.
const WAITING: usize = 65_536;

/// Keeps messages where they outlive the replica. Put one into `Shared::extensions` as [`DurableOutbox`].
pub trait KeptOutbox: Send + Sync {
    /// Keeps a message; what to call it. `None` when it cannot be kept: the store is away.
    fn keep(&self, message: Value) -> BoxFuture<'static, Option<String>>;
    /// The broker has it, or refused it for good.
    fn forget(&self, id: String) -> BoxFuture<'static, ()>;
}

/// The durable outbox of this replica, as an extension: there is none unless users ask for it.
pub struct DurableOutbox(pub Arc<dyn KeptOutbox>);

/// Messages on their way into the store, in order.
pub(super) type Waiting = mpsc::Sender<Outgoing>;

/// A message as it is kept.
#[derive(Serialize, Deserialize)]
struct Message {
    broker: String,
    topic: String,
    qos: u8,
    retain: bool,
    payload: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    utf8: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expiry: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response_topic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    user: Vec<(String, String)>,
}

impl Message {
    fn of(broker: &str, publish: &Publish) -> Message {
        let props = publish.props.as_deref().cloned().unwrap_or_default();
        let text = |text: Option<Str>| text.map(|text| text.to_string());
        Message {
            broker: broker.to_owned(),
            topic: publish.topic.to_string(),
            qos: publish.qos as u8,
            retain: publish.retain,
            payload: STANDARD.encode(&publish.payload),
            utf8: props.utf8,
            expiry: props.expiry,
            response_topic: text(props.response_topic),
            correlation: props.correlation.map(|bytes| STANDARD.encode(bytes)),
            content_type: text(props.content_type),
            user: props.user.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        }
    }

    fn publish(self) -> Option<Publish> {
        let props = PublishProps {
            utf8: self.utf8,
            expiry: self.expiry,
            response_topic: self.response_topic.map(Str::from),
            correlation: self.correlation.and_then(|text| STANDARD.decode(text).ok()).map(Into::into),
            content_type: self.content_type.map(Str::from),
            user: self.user.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            ..PublishProps::default()
        };
        Some(Publish {
            qos: QoS::from_bits(self.qos)?,
            retain: self.retain,
            topic: self.topic.into(),
            payload: STANDARD.decode(self.payload).ok()?.into(),
            props: (props != PublishProps::default()).then(|| Box::new(props)),
            ..Publish::default()
        })
    }
}

/// True for a message that nobody would publish again if this replica died.
pub(super) fn is_unrepeatable(outgoing: &Outgoing) -> bool {
    let Receipt::Node(_, msg, _) = &outgoing.receipt else { return false };
    outgoing.publish.qos != QoS::AtMostOnce && !msg.delivery().is_some_and(|delivery| delivery.is_repeatable())
}

impl MqttBroker {
    /// Takes a message that [is unrepeatable](is_unrepeatable) and is to be kept first; any other comes back.
    pub(super) fn keep_first(&self, outgoing: Outgoing) -> Option<Outgoing> {
        let outbox = self.shared.extensions().get::<DurableOutbox>();
        let Some(outbox) = outbox else { return Some(outgoing) };
        let known = self.state.lock().durable.clone().filter(|waiting| !waiting.is_closed());
        let waiting = known.unwrap_or_else(|| {
            let (waiting, queue) = mpsc::channel(WAITING);
            self.state.lock().durable = Some(waiting.clone());
            let me = self.weak();
            self.run_task(async move {
                let Some(broker) = me.upgrade() else { return };
                broker.keep_in_order(outbox, queue).await;
            });
            waiting
        });
        if let Err(refused) = waiting.try_send(outgoing) {
            let outgoing = refused.into_inner();
            self.ended(outgoing.receipt, Err(PublishError::Full { messages: WAITING, bytes: 0 }));
        }
        None
    }

    /// Keeps what comes and publishes it then, in the order in which it came.
    async fn keep_in_order(self: Arc<Self>, outbox: Arc<DurableOutbox>, mut queue: mpsc::Receiver<Outgoing>) {
        let mut keeping = FuturesOrdered::new();
        loop {
            tokio::select! {
                Some(outgoing) = queue.recv(), if keeping.len() < AT_ONCE => {
                    let message = serde_json::to_value(Message::of(&self.id, &outgoing.publish)).unwrap_or_default();
                    let kept = outbox.0.keep(message);
                    keeping.push_back(async move { (kept.await, outgoing) });
                }
                Some((id, outgoing)) = keeping.next() => self.publish_kept(&outbox, id, outgoing),
                else => return,
            }
        }
    }

    fn publish_kept(self: &Arc<Self>, outbox: &Arc<DurableOutbox>, id: Option<String>, outgoing: Outgoing) {
        let Some(id) = id else {
            tracing::warn!(broker = %self.id, "a message could not be kept in the store: it is lost if this replica dies now");
            return self.publish_now(outgoing);
        };
        let Outgoing { publish, receipt } = outgoing;
        let (me, outbox) = (self.clone(), outbox.clone());
        let told = move |result: Result<(), PublishError>| {
            let forget = outbox.0.forget(id);
            me.run_task(forget);
            me.ended(receipt, result);
        };
        self.publish_now(Outgoing { publish, receipt: Receipt::Call(Box::new(told)) });
    }
}

/// Publishes what another replica had kept and did not live to publish. True once the broker has it, or refused it for good;
/// false when it cannot be published here.
pub async fn publish_again(shared: &Arc<Shared>, message: Value) -> bool {
    let Some(message) = serde_json::from_value::<Message>(message).ok() else { return true };
    let Some(broker) = shared.config_node::<MqttBroker>(&message.broker) else { return false };
    let Some(publish) = message.publish() else { return true };
    let (told, hears) = oneshot::channel();
    broker.ensure_publisher();
    broker.publish_now(Outgoing { publish, receipt: Receipt::Call(Box::new(move |result| drop(told.send(result)))) });
    match hears.await {
        // The broker is away, perhaps: it is tried again.
        Ok(Err(PublishError::Full { .. })) => false,
        Ok(Err(error)) => {
            tracing::error!(broker = %broker.id, %error, "a message of a replica that died could not be published");
            true
        }
        Ok(Ok(())) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_same_after_it_was_kept() {
        let props = PublishProps {
            expiry: Some(7),
            response_topic: Some("r".into()),
            correlation: Some(vec![0, 255].into()),
            user: vec![("a".into(), "b".into())],
            ..PublishProps::default()
        };
        let publish = Publish {
            qos: QoS::ExactlyOnce,
            retain: true,
            topic: "t/1".into(),
            payload: vec![1, 2, 3].into(),
            props: Some(Box::new(props)),
            ..Publish::default()
        };
        let kept = serde_json::to_value(Message::of("b", &publish)).unwrap();
        assert_eq!(serde_json::from_value::<Message>(kept).unwrap().publish(), Some(publish));
    }
}
