//! What an mqtt-broker node does with what its connections tell it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flotilla_codec::client::ConnAck;
use flotilla_codec::{Version, agreed};
use futures::future::BoxFuture;
use tokio::sync::mpsc::error::TrySendError;

use flotilla_engine::message::Failure;
use flotilla_engine::observe::{Back, Failed, Level};
use flotilla_engine::settings::Settings;
use flotilla_engine::{Health, NodeCx, Source, Worker};
use flotilla_value::{ErrorValue, Str, Value};

use super::broker::MqttBroker;
use super::keeper::{Keeper, KeptSession};
use super::letters::{Letter, deaths_alone};
use super::options::Announcement;
use super::single::Single;
use super::url;
use flotilla_mqtt::{
    Client, ClientEvents, Parting, Policy, Publish, PublishError, Receipt, Role, State, Ticket, Verdict,
};

/// How long closing waits for it to be said what became of the session.
const PART_LIMIT: Duration = Duration::from_secs(2);
/// How long consuming waits for the session to be recorded.
const RECORD_LIMIT: Duration = Duration::from_secs(10);

impl MqttBroker {
    /// Runs a closure with a live node, on its worker; at once when that is this one.
    pub(super) fn with_node(&self, node: &Str, work: impl FnOnce(&NodeCx) + Send + 'static) {
        if let Some(slot) = Worker::current().and_then(|worker| worker.slot(node)) {
            return work(&slot.cx);
        }
        let Some(worker) = self.shared.worker_of(node) else { return };
        let node = node.clone();
        worker.run(move |worker: &Rc<Worker>| {
            if let Some(slot) = worker.slot(&node) {
                work(&slot.cx);
            }
        });
    }

    /// What a publish came to: the node is through with its message, or it failed.
    pub(super) fn ended(&self, receipt: Receipt, result: Result<(), PublishError>) {
        match receipt {
            Receipt::Node(node, msg, qos) => {
                if let Some(trail) = msg.delivery().and_then(|delivery| delivery.trail()) {
                    trail.confirms(qos as u8, result.is_ok());
                }
                self.with_node(&node, move |cx| match result {
                    Ok(()) => cx.report().done(&msg),
                    Err(error) => {
                        cx.report().error(Value::Error(Arc::new(ErrorValue::new(error.to_string()))), Some(&msg));
                    }
                });
            }
            Receipt::Call(call) => call(result),
            Receipt::None => {
                if let Err(error) = result {
                    self.shared.log(Level::Error, format!("mqtt-broker {}: {error}", self.id));
                }
            }
        }
    }

    /// Shows a state at the nodes that use the broker; those of one kind, or all.
    pub(super) fn show(&self, state: State, consumers: Option<bool>) {
        let (fill, shape, key) = match state {
            State::Idle => ("red", "ring", "node-red:common.status.disconnected"),
            State::Connecting => ("yellow", "ring", "node-red:common.status.connecting"),
            State::Connected => ("green", "dot", "node-red:common.status.connected"),
        };
        let users: Vec<Str> = {
            let state = self.state.lock();
            let shown = state.users.iter().filter(|user| consumers.is_none_or(|wanted| user.consumes == wanted));
            shown.map(|user| user.node.clone()).collect()
        };
        let deaf = if state == State::Connected { self.deaf() } else { Vec::new() };
        let idle = if state == State::Connected { self.standing_by() } else { Vec::new() };
        for node in users {
            if idle.contains(&node) {
                self.with_node(&node, |cx| cx.report().show("grey", "ring", cx.text("mqtt.state.stands-by", &[])));
                continue;
            }
            let (fill, shape, key) =
                if deaf.contains(&node) { ("red", "ring", "mqtt.state.unshared") } else { (fill, shape, key) };
            self.with_node(&node, move |cx| cx.report().show(fill, shape, cx.text(key, &[])));
        }
    }

    /// What becomes of the record of a session that this replica does not use any more.
    pub(super) async fn part(&self, client: &Arc<Client>) {
        let Some(keeper) = self.shared.extensions().get::<Keeper>().filter(|_| client.options().end_session) else {
            return;
        };
        let session = self.kept(client);
        let parted = match (client.is_left(), client.parting()) {
            (false, _) => keeper.0.forget(session.client_id),
            (true, Parting::Yield | Parting::Pause(_)) => return,
            (true, _) => keeper.0.leave_behind(session),
        };
        let _ = tokio::time::timeout(PART_LIMIT, parted).await;
    }

    fn kept(&self, client: &Arc<Client>) -> KeptSession {
        KeptSession {
            broker: self.id.to_string(),
            url: url::recorded(&self.options.lock().url()),
            client_id: client.options().connect.client_id.clone(),
            filters: client.filters(),
            replica: self.shared.settings().replica.clone(),
        }
    }

    pub(super) fn connected_again(&self) {
        let back = {
            let mut state = self.state.lock();
            let clients = state.consumers().into_iter().chain(state.publisher.clone());
            let all = clients.into_iter().all(|client| client.state() == State::Connected)
                && state.single.as_ref().is_none_or(Single::is_well);
            if !all || !state.running || std::mem::replace(&mut state.connected, true) {
                return;
            }
            state.trouble.back()
        };
        // The lock on the state is given back before the options are locked.
        let birth = self.options.lock().announcement(Announcement::Birth);
        match back {
            Back::Well => self.log("mqtt.state.connected", &[], "", Level::Info),
            Back::After(how) => self.log("mqtt.state.connected", &[], &how, Level::Info),
            Back::Again => {}
        }
        if let Some(birth) = birth.filter(|_| !self.has_herald()) {
            self.announce(birth);
        }
        self.fetch_retained();
        self.tell_lost();
    }

    /// Says to whoever looks at the replica's health how the connections are.
    pub(super) fn tell(&self) {
        let (running, connected, why) = {
            let state = self.state.lock();
            (state.running, state.connected, state.why.clone())
        };
        if !running {
            return self.shared.health().no_source(&self.id);
        }
        let name = self.options.lock().shown();
        self.shared.health().source(Source { node: self.id.clone(), name, connected, reason: why });
    }

    /// Logs a text of the catalogue, and what is to be behind it.
    fn log(&self, key: &'static str, more: &[(&str, &str)], behind: &str, level: Level) {
        let label = self.options.lock().label();
        let args: Vec<(&str, &str)> = [("broker", label.as_str())].into_iter().chain(more.iter().copied()).collect();
        let mut text = self.shared.text(key, &args);
        if !behind.is_empty() {
            text = format!("{text} {behind}");
        }
        self.with_node(&self.id.clone(), move |cx| {
            if level == Level::Warn { cx.report().warn(text) } else { cx.report().log(text) }
        });
    }
}

impl ClientEvents for MqttBroker {
    fn message(&self, client: &Arc<Client>, mut publish: Arc<Publish>, ticket: Ticket) {
        let alone = deaths_alone(&mut publish);
        if alone > 0 && alone >= self.shared.settings().max_attempts {
            let error = format!("{alone} processes died while they worked on this message and on nothing else");
            let letter = Letter { error, attempts: alone, died: true, ..self.letter(&publish) };
            return self.lay_aside(client, letter, ticket);
        }
        if client.role == Role::Adopt
            && let Some(turns) = self.turns_of(client)
        {
            // Closed: the adoption was given up, and the session is another's. It is not full, since one is open at a time; if
            // it were, the broker would send this one again.
            if let Err(TrySendError::Closed((_, ticket)) | TrySendError::Full((_, ticket))) =
                turns.try_send((publish, ticket))
            {
                ticket.settle(Verdict::Never);
            }
            return;
        }
        self.take(client, publish, ticket, None);
    }

    fn dead_letter(&self, client: &Arc<Client>, publish: &Publish, failure: Failure, ticket: Ticket) {
        let letter = Letter {
            node: failure.node.clone(),
            error: failure.error.to_text().to_string(),
            attempts: ticket.attempts(),
            message: failure.message.clone(),
            trail: ticket.trail().cloned(),
            ..self.letter(publish)
        };
        self.lay_aside(client, letter, ticket);
    }

    fn published(&self, receipt: Receipt, result: Result<(), PublishError>) {
        self.ended(receipt, result);
    }

    fn superseded(&self, _client: &Arc<Client>) {
        let consumers = self.state.lock().consumers();
        consumers.iter().for_each(|consumer| consumer.take_again());
    }

    fn accepted(&self, client: &Arc<Client>, ack: &ConnAck, version: Version) -> BoxFuture<'static, bool> {
        // Subscriptions that were refused are asked for again.
        self.with_node(&self.id, |cx| cx.report().works());
        let settings = self.shared.settings();
        if settings.share_subscriptions {
            self.say_what_is_missing(client, ack, version);
        }
        let says = |wanted: &str| ack.user.iter().any(|(name, value)| name == wanted && value == "1");
        let redispatches = says(agreed::REDISPATCH);
        self.state.lock().own_broker = says(agreed::KEYED);
        let options = client.options();
        let ours = client.role == Role::Consume && settings.share_subscriptions && options.end_session;
        let keeper = self.shared.extensions().get::<Keeper>().filter(|_| ours && !redispatches);
        let Some(keeper) = keeper else { return Box::pin(std::future::ready(true)) };
        let record = keeper.0.record(self.kept(client));
        Box::pin(async move {
            // A store that is away is no reason to stop: what is lost then is lost only if this replica dies as well.
            tokio::time::timeout(RECORD_LIMIT, record).await.unwrap_or(true)
        })
    }

    fn changed(&self, client: &Arc<Client>, state: State, why: Option<String>) {
        if client.role == Role::Adopt {
            return;
        }
        let consumers = match client.role {
            Role::Consume => Some(true),
            Role::Publish => Some(false),
            _ => None,
        };
        let was = if state == State::Connected {
            self.connected_again();
            false
        } else {
            std::mem::replace(&mut self.state.lock().connected, false)
        };
        // A flow that only publishes or only consumes has one connection, and all its nodes show it.
        let both = {
            let state = self.state.lock();
            !state.consumers().is_empty() && state.publisher.is_some()
        };
        if state != State::Idle {
            self.show(state.clone(), consumers.filter(|_| both));
        }
        if state == State::Connected {
            self.state.lock().why.clear();
        } else if let Some(why) = &why {
            self.state.lock().why.clone_from(why);
        }
        self.tell();
        if let Some(why) = why {
            let failed = self.state.lock().trouble.failed(&why);
            let key = if was { "mqtt.state.disconnected" } else { "mqtt.state.connect-failed" };
            match failed {
                Failed::First => self.log(key, &[("reason", &why)], "", Level::Warn),
                Failed::Count(so_far) => {
                    self.log("mqtt.state.connect-failed", &[("reason", &so_far)], "", Level::Warn);
                }
                Failed::Again => {}
            }
        }
        self.nudge();
    }

    fn refused(&self, _client: &Arc<Client>, filter: &str, code: u8) {
        let code = format!("{code:#04x}");
        let text = self.shared.text("mqtt.errors.subscribe-refused", &[("topic", filter), ("code", &code)]);
        self.with_node(&self.id.clone(), move |cx| {
            cx.report().broken(text.as_str());
            cx.report().error(text, None);
        });
    }

    fn overflow(&self, client: &Arc<Client>) {
        tracing::warn!(broker = client.options().label, "a QoS 0 message was dropped: too many deliveries are open");
    }

    fn progress(&self, client: &Arc<Client>) {
        if client.role == Role::Consume {
            self.nudge();
        }
    }

    fn may_publish(&self) -> bool {
        let state = self.state.lock();
        state.consumers().iter().all(|consumer| consumer.subscribed())
    }

    fn health(&self) -> Option<Arc<Health>> {
        Some(self.shared.health().clone())
    }

    fn policy(&self) -> Policy {
        // Asked for each message.
        let settings = self.shared.settings_now();
        let Settings { on_failure, max_retries, retry_delay, .. } = **settings;
        Policy { on_failure, max_retries, retry_delay }
    }
}
