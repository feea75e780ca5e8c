//! Which connections a broker node needs, and how each is made and run.

use std::sync::Arc;

use flotilla_engine::observe::{Level, Repeats};

use super::broker::{BrokerState, MqttBroker, User};
use super::keeper::Keeper;
use super::options::{Announcement, Kind};
use super::share::Subscription;
use super::tls;
use flotilla_mqtt::{Client, Role, State};

impl MqttBroker {
    /// One client consumes and publishes: a flow outside a group has a ClientID of its own, or wants no local messages.
    pub(super) fn is_one_client(&self, state: &BrokerState) -> bool {
        let settings = self.shared.settings();
        let own_id = !self.options.lock().client_id().is_empty();
        !settings.share_subscriptions && (own_id || state.users.iter().any(|user| user.no_local))
    }

    /// Which consuming clients the subscriptions need: one whose session outlives its connection, and one for QoS 0 in a group.
    pub(super) fn consuming(&self, state: &BrokerState) -> (bool, bool) {
        let group = self.shared.settings().share_subscriptions;
        let others = || state.subscriptions.iter().filter(|(_, subscription)| !subscription.single);
        let of_one = |user: &User| {
            state.subscriptions.iter().any(|(node, subscription)| *node == user.node && subscription.single)
        };
        if state.users.iter().filter(|user| user.consumes).all(of_one) {
            return (false, false);
        }
        let fleeting = group && others().any(|(_, subscription)| subscription.is_fleeting());
        let lasting = !fleeting || others().any(|(_, subscription)| !subscription.is_fleeting());
        (lasting, fleeting)
    }

    /// The client that a subscription is for; made when it is not there, and run with the others or by [`MqttBroker::connect`].
    pub(super) fn consumer_of(&self, subscription: &Subscription) -> Option<Arc<Client>> {
        if subscription.single {
            return self.single_client();
        }
        let fleeting = self.shared.settings().share_subscriptions && subscription.is_fleeting();
        let mut state = self.state.lock();
        let made = if fleeting { state.fleeting.clone() } else { state.consumer.clone() };
        made.or_else(|| {
            if fleeting {
                self.launch(&mut state.fleeting, Kind::Fleeting, false, &mut Vec::new());
                return state.fleeting.clone();
            }
            let single = self.is_one_client(&state);
            let publishes = self.publishes(&state);
            let kind = if single { Kind::Both } else { Kind::Consume };
            self.launch(&mut state.consumer, kind, single || !publishes, &mut Vec::new());
            state.consumer.clone()
        })
    }

    /// Starts the clients that the users need.
    pub(super) fn connect(&self) {
        let mut state = self.state.lock();
        if !state.running {
            // What failed before it was disconnected is no failure of this connection.
            state.trouble = Repeats::default();
        }
        (state.running, state.stopped) = (true, false);
        let consumes = state.users.iter().any(|user| user.consumes);
        let publishes = self.publishes(&state);
        let single = self.is_one_client(&state);
        let mut started = Vec::new();
        if consumes {
            let (lasting, fleeting) = self.consuming(&state);
            if lasting {
                let kind = if single { Kind::Both } else { Kind::Consume };
                self.launch(&mut state.consumer, kind, single || !publishes, &mut started);
            }
            if fleeting {
                self.launch(&mut state.fleeting, Kind::Fleeting, !lasting && !publishes, &mut started);
            }
        }
        if publishes && !(consumes && single) {
            self.launch(&mut state.publisher, Kind::Publish, true, &mut started);
        }
        drop(state);
        self.tell();
        self.show(State::Connecting, None);
        started.into_iter().for_each(|client| self.run(client));
        self.start_single();
        self.start_herald();
    }

    /// Makes and runs a publishing client when there is none: dead letters have to go somewhere.
    pub(super) fn ensure_publisher(&self) {
        let mut started = Vec::new();
        {
            let mut state = self.state.lock();
            let single = state.consumer.as_ref().is_some_and(|consumer| consumer.role == Role::Both);
            if !single && state.running && state.publisher.is_none() {
                self.launch(&mut state.publisher, Kind::Publish, false, &mut started);
            }
        }
        started.into_iter().for_each(|client| self.run(client));
    }

    fn publishes(&self, state: &BrokerState) -> bool {
        let announces = {
            let options = self.options.lock();
            options.has(Announcement::Birth) || options.has(Announcement::Close)
        };
        (announces && !self.has_herald()) || state.users.iter().any(|user| !user.consumes)
    }

    /// How a client of this node connects now.
    pub(super) fn client_options(&self, role: Role) -> Result<flotilla_mqtt::ClientOptions, String> {
        let options = self.options.lock();
        let settings = self.shared.settings();
        let kind = if role == Role::Adopt { Kind::Adopt } else { Kind::Consume };
        options.client(kind, &self.id, &settings, false, || tls::config(&self.shared, &options))
    }

    /// The client in `place`, ready to run; made when it is not there.
    fn launch(&self, place: &mut Option<Arc<Client>>, kind: Kind, with_will: bool, started: &mut Vec<Arc<Client>>) {
        let role = kind.role();
        let with_will = with_will && !self.has_herald();
        let options = self.options.lock();
        let settings = self.shared.settings();
        let made = options.client(kind, &self.id, &settings, with_will, || tls::config(&self.shared, &options));
        let made = match made {
            Ok(made) => made,
            Err(why) => return self.shared.log(Level::Error, format!("mqtt-broker {}: {why}", self.id)),
        };
        match place {
            Some(client) if client.has_begun() => {}
            Some(client) if client.role == role => {
                let mut made = made;
                if client.is_left() {
                    // It goes on with its session.
                    made.connect.client_id.clone_from(&client.options().connect.client_id);
                }
                client.set_options(made);
                client.reopen();
                started.push(client.clone());
            }
            _ => {
                let client = Client::new(role, made);
                if role == Role::Consume
                    && let Some(keeper) = self.shared.extensions().get::<Keeper>()
                {
                    client.set_guard(keeper.0.guard());
                }
                started.push(client.clone());
                *place = Some(client);
            }
        }
    }

    pub(super) fn run(&self, client: Arc<Client>) {
        self.run_then(client, || {});
    }

    /// Runs a client, and then something.
    pub(super) fn run_then(&self, client: Arc<Client>, then: impl FnOnce() + Send + 'static) {
        let running = client.begin();
        let Some(me) = self.me.upgrade() else { return };
        self.run_task(async move {
            client.run(me).await;
            drop(running);
            then();
        });
    }
}
