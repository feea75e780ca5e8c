//! `mqtt in` nodes that one replica at a time consumes: a watchdog, a rate limit, a running total of the whole group.
//!
//! They have a session of their own whose ClientID is the group's. Who has the role connects under it, so that the broker
//! itself keeps the others out; the next one goes on where the last one stopped, with what that had not acknowledged first.
//! While the store is away nobody can take the role, and who has it goes on.

use std::sync::Arc;

use super::broker::MqttBroker;
use super::options::Kind;
use super::role_guard::RoleGuard;
use super::tls;
use super::together::{Group, Role};
use flotilla_engine::message::Delivery;
use flotilla_engine::observe::Level;
use flotilla_mqtt::{Client, Parting, State};
use flotilla_value::Str;

/// The session of the role, as one replica has it.
pub(super) struct Single {
    pub(super) client: Arc<Client>,
    role: Arc<dyn Role>,
    /// Another replica has the role.
    stands_by: bool,
    /// No node is left: what the session holds is thrown away.
    sweeps: bool,
}

impl Single {
    /// True when it is as it should be: connected, or standing by.
    pub(super) fn is_well(&self) -> bool {
        self.stands_by || self.client.state() == State::Connected
    }
}

impl MqttBroker {
    /// The client of the role; made when it is not there, and run by [`MqttBroker::connect`].
    pub(super) fn single_client(&self) -> Option<Arc<Client>> {
        let known = self.state.lock().single.as_ref().filter(|single| !single.sweeps).map(|known| known.client.clone());
        known.or_else(|| self.make_single(false))
    }

    fn make_single(&self, sweeps: bool) -> Option<Arc<Client>> {
        let group = self.shared.extensions().get::<Group>()?;
        let made = {
            let options = self.options.lock();
            let settings = self.shared.settings();
            options.client(Kind::Single, &self.id, &settings, false, || tls::config(&self.shared, &options))
        };
        let mut made = match made {
            Ok(made) => made,
            Err(why) => {
                self.shared.log(Level::Error, format!("mqtt-broker {}: {why}", self.id));
                return None;
            }
        };
        if sweeps {
            (made.connect.clean_start, made.connect.session_expiry) = (true, 0);
        }
        let client = Client::new(Kind::Single.role(), made);
        let role = group.0.seek(&format!("single/{}", self.id));
        client.set_guard(Arc::new(RoleGuard { role: role.clone(), told: Some(self.weak()) }));
        let single = Single { client: client.clone(), role, stands_by: false, sweeps };
        let before = self.state.lock().single.replace(single);
        if let Some(before) = before {
            before.client.let_go();
        }
        Some(client)
    }

    /// True when a node is to be consumed by one replica at a time.
    pub(super) fn wants_single(&self) -> bool {
        self.state.lock().subscriptions.iter().any(|(_, subscription)| subscription.single)
    }

    /// Starts the client of the role if nodes want it.
    pub(super) fn start_single(&self) {
        if !self.wants_single() {
            return;
        }
        let Some(client) = self.single_client() else { return };
        if !client.has_begun() {
            // Before it connects: what the session holds would find nobody, and be acknowledged.
            self.ask_single(&client);
            self.run_single(client);
        }
    }

    /// Runs it, and gives the role up when it has ended: what it had taken is done by then.
    fn run_single(&self, client: Arc<Client>) {
        let role = self.state.lock().single.as_ref().map(|single| single.role.clone());
        self.run_then(client, move || {
            if let Some(role) = role {
                role.give_up();
            }
        });
    }

    /// Another replica has the role, or this one gets it.
    pub(super) fn stand_by(&self, stands_by: bool) {
        if let Some(single) = &mut self.state.lock().single {
            single.stands_by = stands_by;
        }
        if stands_by {
            for node in self.standing_by() {
                self.with_node(&node, |cx| cx.report().show("grey", "ring", cx.text("mqtt.state.stands-by", &[])));
            }
            self.connected_again();
            self.tell();
        }
    }

    /// Nodes that receive nothing because another replica has the role.
    pub(super) fn standing_by(&self) -> Vec<Str> {
        let state = self.state.lock();
        let stands_by = state.single.as_ref().is_some_and(|single| single.stands_by);
        let single = state.subscriptions.iter().filter(|(_, subscription)| stands_by && subscription.single);
        single.map(|(node, _)| node.clone()).collect()
    }

    /// Finishes what it has taken, and leaves the session to the next who has the role.
    pub(super) fn drain_single(&self) {
        let client = self.state.lock().single.as_ref().map(|single| single.client.clone());
        if let Some(client) = client {
            let guard = Delivery::begin(self.shared.deliveries(), self.id.clone(), |_| {});
            client.drain(guard, Parting::Hold);
        }
    }

    /// After a drain: seeks the role again. Without a node that wants it, what the session holds is thrown away once
    /// nobody has the role.
    pub(super) async fn resume_single(&self) {
        let before = self.state.lock().single.take();
        let Some(before) = before else { return };
        before.client.close().await;
        if self.wants_single() {
            let Some(client) = self.make_single(false) else { return };
            self.ask_single(&client);
            self.run_single(client);
        } else if let Some(client) = self.make_single(true) {
            self.run_single(client.clone());
            self.run_task(async move {
                client.until_connected().await;
                client.close().await;
            });
        }
    }

    /// Ends the connection; the session stays.
    pub(super) async fn close_single(&self) {
        let single = self.state.lock().single.take();
        if let Some(single) = single {
            single.client.close().await;
            single.role.give_up();
        }
    }

    fn ask_single(&self, client: &Client) {
        let subscriptions: Vec<_> = {
            let state = self.state.lock();
            let single = state.subscriptions.iter().filter(|(_, subscription)| subscription.single);
            single.map(|(node, subscription)| (node.clone(), subscription.clone())).collect()
        };
        for (node, subscription) in &subscriptions {
            self.ask(client, subscription, node);
        }
    }
}
