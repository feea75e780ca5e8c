//! Retained messages for groups, on brokers that know nothing of groups.
//!
//! A subscription of a share group gets no retained messages when it begins [MQTT 5, section 4.8.2]. So one replica, by claim,
//! asks for them with a plain subscription of a connection that serves nothing else, and runs them as messages of the group;
//! or each replica does, where the node's setting is `retained = "each"`. What is published meanwhile comes to the group as
//! ever; such a message may be run before the retained one that it replaced.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use flotilla_codec::client::ConnAck;
use flotilla_codec::{RetainHandling, Version};
use futures::future::BoxFuture;
use parking_lot::Mutex;

use super::broker::{BrokerState, MqttBroker};
use super::options::Kind;
use super::share::Subscription;
use super::tls;
use super::together::Group;
use flotilla_engine::message::{Delivery, Failure, Outcome};
use flotilla_engine::observe::Level;
use flotilla_flows::Retained;
use flotilla_mqtt::{
    Client, ClientEvents, Parting, Policy, Publish, PublishError, Receipt, State, SubRef, Target, Ticket, Verdict,
};
use flotilla_value::Str;

/// How often it is looked whether everything has come.
const LOOK: Duration = Duration::from_millis(50);
/// How often a claim is made again while the store is away.
const AGAIN: Duration = Duration::from_secs(1);

/// A subscription whose retained messages are to be fetched.
type Wanted = (Str, Subscription);

impl Subscription {
    /// Who is to have the retained messages fetched, on a broker that is (or is not) Flotilla's own.
    fn fetches(&self, own_broker: bool) -> Option<Retained> {
        let asked = self.is_shared() && self.filter.retain_handling != RetainHandling::Never;
        match self.order.retained() {
            Retained::Once if own_broker => None,
            Retained::None => None,
            which => asked.then_some(which),
        }
    }
}

impl MqttBroker {
    /// Fetches what the subscriptions want that have not been looked at yet. Called when the node is connected.
    pub(super) fn fetch_retained(&self) {
        self.fetch_what(|state| {
            state.subscriptions.iter().map(|(node, subscription)| (node.clone(), subscription.clone())).collect()
        });
    }

    /// Fetches what one subscription wants. Called when a node subscribes; the others were looked at before.
    pub(super) fn fetch_retained_of(&self, subscription: &Subscription, node: &Str) {
        self.fetch_what(|_| vec![(node.clone(), subscription.clone())]);
    }

    fn fetch_what(&self, of: impl FnOnce(&BrokerState) -> Vec<Wanted>) {
        if !self.shared.settings().share_subscriptions {
            return;
        }
        let Some(group) = self.shared.extensions().get::<Group>() else { return };
        let wanted: Vec<Wanted> = {
            let mut state = self.state.lock();
            if !state.connected {
                return;
            }
            let own = state.own_broker;
            let all = of(&state);
            let new = all.into_iter().filter(|(_, subscription)| subscription.fetches(own).is_some());
            new.filter(|(_, subscription)| state.begun.insert(subscription.order.token().to_owned())).collect()
        };
        if wanted.is_empty() {
            return;
        }
        let me = self.weak();
        self.run_task(async move {
            if let Some(broker) = me.upgrade() {
                broker.see_to(&group, wanted).await;
            }
        });
    }

    async fn see_to(&self, group: &Arc<Group>, wanted: Vec<Wanted>) {
        // What is published after the retained messages were sent has to find the group subscribed.
        while !self.may_publish() {
            tokio::time::sleep(LOOK).await;
        }
        let (mut fetched, once): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|(_, subscription)| subscription.order.retained() == Retained::Each);
        if !once.is_empty() {
            let tokens: Vec<String> =
                once.iter().map(|(_, subscription)| subscription.order.token().to_owned()).collect();
            let won = claim(group, &self.id, &tokens).await;
            fetched.extend(
                once.into_iter()
                    .filter(|(_, subscription)| won.iter().any(|token| token == subscription.order.token())),
            );
            let first = {
                let mut state = self.state.lock();
                let first = state.claimed.is_none();
                state.claimed.get_or_insert_default().extend(tokens);
                first
            };
            if first {
                self.run_task(keep(group.clone(), self.weak()));
            }
        }
        if !fetched.is_empty() {
            self.fetch(fetched).await;
        }
    }

    async fn fetch(&self, wanted: Vec<Wanted>) {
        let made = {
            let options = self.options.lock();
            let settings = self.shared.settings();
            options.client(Kind::Fetch, &self.id, &settings, false, || tls::config(&self.shared, &options))
        };
        let made = match made {
            Ok(made) => made,
            Err(why) => return self.shared.log(Level::Error, format!("mqtt-broker {}: {why}", self.id)),
        };
        let client = Client::new(Kind::Fetch.role(), made);
        for (node, subscription) in wanted {
            let mut filter = subscription.filter.clone();
            // A retain flag then says that the message was retained [MQTT-3.3.1-12].
            (filter.retain_as_published, filter.no_local) = (false, false);
            filter.retain_handling = RetainHandling::Always;
            client.subscribe(filter, SubRef { node, datatype: subscription.datatype, no_local: false, active: true });
        }
        let _closes = LetGo(client.clone());
        let running = client.begin();
        let events = Arc::new(FetchEvents { broker: self.weak(), seen: Mutex::default() });
        let run = async {
            client.clone().run(events).await;
            drop(running);
        };
        let close = async {
            client.until_connected().await;
            let guard = Delivery::begin(self.shared.deliveries(), self.id.clone(), |_| {});
            client.drain(guard, Parting::End);
            while client.has_begun() && !client.has_drained() {
                tokio::time::sleep(LOOK).await;
            }
            client.close().await;
        };
        futures::join!(run, close);
    }
}

/// Ends the connection when the node is closed meanwhile.
struct LetGo(Arc<Client>);

impl Drop for LetGo {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

/// Claims until the store answers.
async fn claim(group: &Arc<Group>, node: &str, tokens: &[String]) -> Vec<String> {
    loop {
        match group.0.begin(node, tokens.to_vec()).await {
            Some(won) => return won,
            None => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Says that the group still runs, while the broker node lives.
async fn keep(group: Arc<Group>, broker: Weak<MqttBroker>) {
    loop {
        tokio::time::sleep(group.0.keep_every()).await;
        let Some(broker) = broker.upgrade() else { return };
        let tokens: Vec<String> = {
            let mut state = broker.state.lock();
            let subscribed: HashSet<String> =
                state.subscriptions.iter().map(|(_, subscription)| subscription.order.token().to_owned()).collect();
            state.begun.retain(|token| subscribed.contains(token));
            let claimed = state.claimed.get_or_insert_default();
            claimed.retain(|token| subscribed.contains(token));
            claimed.iter().cloned().collect()
        };
        let _ = group.0.begin(&broker.id, tokens).await;
    }
}

/// What the connection is told.
struct FetchEvents {
    broker: Weak<MqttBroker>,
    /// What came already, by node: overlapping filters of one connection may bring a message several times.
    seen: Mutex<HashSet<(Str, Str)>>,
}

impl ClientEvents for FetchEvents {
    fn message(&self, client: &Arc<Client>, publish: Arc<Publish>, ticket: Ticket) {
        let Some(broker) = self.broker.upgrade() else { return ticket.settle(Verdict::Never) };
        if !publish.retain {
            // It is live: the group gets it over its own subscription.
            return ticket.settle(Verdict::Ack);
        }
        let targets: Vec<Target> = {
            let mut seen = self.seen.lock();
            let all = client.targets(&publish);
            all.iter().filter(|target| seen.insert((target.node.clone(), publish.topic.clone()))).cloned().collect()
        };
        let Some(first) = targets.first() else { return ticket.settle(Verdict::Ack) };
        let end = move |outcome: Outcome| ticket.end(outcome);
        let delivery = Delivery::begin(broker.shared.deliveries(), first.node.clone(), end);
        broker.hand_over(&targets, publish, delivery);
    }

    fn dead_letter(&self, client: &Arc<Client>, publish: &Publish, failure: Failure, ticket: Ticket) {
        match self.broker.upgrade() {
            Some(broker) => broker.dead_letter(client, publish, failure, ticket),
            None => ticket.settle(Verdict::Never),
        }
    }

    fn published(&self, _receipt: Receipt, _result: Result<(), PublishError>) {}

    fn accepted(&self, _client: &Arc<Client>, _ack: &ConnAck, _version: Version) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }

    fn changed(&self, client: &Arc<Client>, _state: State, why: Option<String>) {
        if let Some(why) = why {
            tracing::warn!(broker = client.options().label, why, "cannot fetch retained messages yet");
        }
    }

    fn refused(&self, client: &Arc<Client>, filter: &str, code: u8) {
        tracing::warn!(broker = client.options().label, filter, code, "the broker refused to send retained messages");
    }

    fn overflow(&self, _client: &Arc<Client>) {}

    fn progress(&self, _client: &Arc<Client>) {}

    fn policy(&self) -> Policy {
        match self.broker.upgrade() {
            Some(broker) => broker.policy(),
            None => Policy {
                on_failure: flotilla_engine::settings::OnFailure::Ack,
                max_retries: 0,
                retry_delay: Duration::ZERO,
            },
        }
    }
}
