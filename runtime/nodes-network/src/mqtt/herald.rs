//! Birth, close and will messages of a group: one connection at a time carries them.
//!
//! Its ClientID is the group's. When its replica dies, another connects under the ClientID before the will is due, and the
//! broker never sends it [MQTT-3.1.2.5]. Over MQTT 3.1.1 a will is sent at once, and the birth message follows.

use std::sync::{Arc, Weak};
use std::time::Duration;

use flotilla_codec::Version;
use flotilla_codec::client::ConnAck;
use futures::future::BoxFuture;

use super::broker::MqttBroker;
use super::options::{Announcement, Kind};
use super::role_guard::RoleGuard;
use super::tls;
use super::together::{Group, Role};
use flotilla_engine::message::Failure;
use flotilla_engine::observe::Level;
use flotilla_mqtt::{
    Client, ClientEvents, Outgoing, Policy, Publish, PublishError, Receipt, State, Ticket, Verdict, topic,
};

/// How long closing waits for the close message to be sent.
const CLOSING: Duration = Duration::from_secs(3);

/// The connection that carries the group's announcements, as one replica has it.
pub(super) struct Herald {
    client: Arc<Client>,
    role: Arc<dyn Role>,
}

impl MqttBroker {
    /// True when the announcements of this node are the group's. With the replica's id in their topics they are the
    /// replica's own.
    pub(super) fn has_herald(&self) -> bool {
        let grouped = self.shared.settings().share_subscriptions && self.shared.extensions().get::<Group>().is_some();
        grouped && self.options.lock().announces_as_one()
    }

    /// Seeks the role, and announces once it has it.
    pub(super) fn start_herald(&self) {
        if !self.has_herald() || self.state.lock().herald.is_some() {
            return;
        }
        let Some(group) = self.shared.extensions().get::<Group>() else { return };
        let made = {
            let options = self.options.lock();
            let settings = self.shared.settings();
            options.client(Kind::Herald, &self.id, &settings, true, || tls::config(&self.shared, &options))
        };
        let mut made = match made {
            Ok(made) => made,
            Err(why) => return self.shared.log(Level::Error, format!("mqtt-broker {}: {why}", self.id)),
        };
        // Longer than it takes until another has the role.
        let outlives = u32::try_from(group.0.outlives().as_secs()).unwrap_or(u32::MAX / 4).saturating_mul(2) + 10;
        if let Some(will) = &mut made.connect.will {
            will.delay = will.delay.max(outlives);
            made.connect.session_expiry = made.connect.session_expiry.max(will.delay.saturating_add(outlives));
        }
        let client = Client::new(Kind::Herald.role(), made);
        let role = group.0.seek(&format!("status/{}", self.id));
        client.set_guard(Arc::new(RoleGuard { role: role.clone(), told: None }));
        self.state.lock().herald = Some(Herald { client: client.clone(), role });
        let events = Arc::new(HeraldEvents { broker: self.weak() });
        self.run_task(client.run(events));
    }

    /// Ends the connection. `closes`: the group is through with the broker, and the close message says so; otherwise
    /// another replica takes over without a word.
    pub(super) async fn end_herald(&self, closes: bool) {
        let herald = self.state.lock().herald.take();
        let Some(herald) = herald else { return };
        let connected = herald.client.state() == State::Connected && herald.role.has();
        let close = self.options.lock().announcement(Announcement::Close).filter(|_| closes && connected);
        if let Some(close) = close {
            drop(herald.client.publish(outgoing(close)));
        }
        let _ = tokio::time::timeout(CLOSING, herald.client.close()).await;
        herald.client.let_go();
        herald.role.give_up();
    }
}

fn outgoing(publish: Publish) -> Outgoing {
    Outgoing { publish, receipt: Receipt::None }
}

/// What the connection is told: it receives nothing.
struct HeraldEvents {
    broker: Weak<MqttBroker>,
}

impl ClientEvents for HeraldEvents {
    fn message(&self, _client: &Arc<Client>, _publish: Arc<Publish>, ticket: Ticket) {
        ticket.settle(Verdict::Ack);
    }

    fn dead_letter(&self, _client: &Arc<Client>, _publish: &Publish, _failure: Failure, ticket: Ticket) {
        ticket.settle(Verdict::Ack);
    }

    fn published(&self, _receipt: Receipt, result: Result<(), PublishError>) {
        if let (Err(error), Some(broker)) = (result, self.broker.upgrade()) {
            broker.shared.log(Level::Error, format!("mqtt-broker {}: {error}", broker.id));
        }
    }

    fn accepted(&self, _client: &Arc<Client>, _ack: &ConnAck, _version: Version) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }

    fn changed(&self, client: &Arc<Client>, state: State, why: Option<String>) {
        let Some(broker) = self.broker.upgrade() else { return };
        if let Some(why) = why {
            tracing::debug!(broker = client.options().label, why, "the connection for birth and will is not there");
        }
        if state != State::Connected {
            return;
        }
        let birth = broker.options.lock().announcement(Announcement::Birth);
        match birth {
            Some(birth) if topic::is_topic(&birth.topic) => drop(client.publish(outgoing(birth))),
            Some(_) => broker.shared.log(Level::Warn, broker.shared.text("mqtt.errors.invalid-topic", &[])),
            None => {}
        }
    }

    fn refused(&self, _client: &Arc<Client>, _filter: &str, _code: u8) {}

    fn overflow(&self, _client: &Arc<Client>) {}

    fn progress(&self, _client: &Arc<Client>) {}

    fn policy(&self) -> Policy {
        Policy { on_failure: flotilla_engine::settings::OnFailure::Ack, max_retries: 0, retry_delay: Duration::ZERO }
    }
}
