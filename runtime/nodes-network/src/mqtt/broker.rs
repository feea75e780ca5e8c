//! mqtt-broker: the config node that `mqtt in` and `mqtt out` share. It owns the connections.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use flotilla_codec::Version;
use futures::future::join_all;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::{Map, Value as Json};
use tokio_util::task::TaskTracker;

use flotilla_engine::message::Delivery;
use flotilla_engine::observe::{Level, Repeats};
use flotilla_engine::{ConfigNode, NodeCx, NodeError, Shared, Stateless, Worker};
use flotilla_flows::NodeConfig;
use flotilla_value::Str;

use super::durable::{Waiting, is_unrepeatable};
use super::herald::Herald;
use super::interests::Interests;
use super::no_local;
use super::options::BrokerOptions;
use super::share;
use super::single::Single;
use super::suspects::Careful;
use flotilla_mqtt::topic;
use flotilla_mqtt::{Client, Outgoing, Publish, PublishError, Receipt};

/// The mqtt-broker config node. Consuming and publishing use separate connections, except for a flow with a ClientID of
/// its own outside a group, or a subscription without local messages: those want one client.
pub struct MqttBroker {
    pub(super) id: Str,
    pub(super) shared: Arc<Shared>,
    pub(super) options: Mutex<BrokerOptions>,
    pub(super) state: Mutex<BrokerState>,
    /// Where the document says that the broker is: see [`share::place`].
    pub(super) place: String,
    /// For a node that no document has: what is different about it.
    pub(super) own: Option<Own>,
    pub(super) me: Weak<MqttBroker>,
    /// Dead letters that are being written.
    pub(super) letters: TaskTracker,
}

/// A broker node that no document has, for nodes other than mqtt in and mqtt out.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    /// The share name of its subscriptions.
    pub(crate) share: Str,
    /// How the ClientIDs of its clients have to begin.
    pub(crate) client: Option<String>,
    /// Takes a message that came for a node, on the node's worker.
    pub(crate) take: Take,
    /// It takes nothing new while the replica drains.
    pub(crate) drains: bool,
}

/// Takes a message that came for a node.
pub(crate) type Take = fn(&NodeCx, &Publish, Arc<Delivery>);

/// What changes while the node lives.
#[derive(Default)]
pub(super) struct BrokerState {
    pub(super) users: Vec<User>,
    pub(super) consumer: Option<Arc<Client>>,
    /// In a group: consumes what is subscribed to at QoS 0, with a session that ends with its connection. A session that
    /// waits for its replica would swallow what the server gives it at QoS 0.
    pub(super) fleeting: Option<Arc<Client>>,
    pub(super) publisher: Option<Arc<Client>>,
    /// Connecting or connected: what `canConnect` denies.
    pub(super) running: bool,
    pub(super) connected: bool,
    /// What was said of failures to connect, and of lost connections.
    pub(super) trouble: Repeats,
    /// Why it is not connected, when it was tried.
    pub(super) why: String,
    /// The broker has said that it has no shared subscriptions.
    pub(super) unshared: bool,
    /// The broker speaks no MQTT 5.
    pub(super) older: bool,
    /// What nodes want to receive.
    pub(super) subscriptions: Interests,
    /// The share name of its subscriptions, once there is one.
    pub(super) share: Option<Str>,
    /// What its messages are marked with, for nodes that do not want them back: see [`no_local`].
    pub(super) mark: Option<Str>,
    /// Messages that are kept in the store before they are published.
    pub(super) durable: Option<Waiting>,
    /// Messages at QoS 0 that were dropped since the broker was away, by node.
    pub(super) lost: FxHashMap<Str, u64>,
    /// The session of nodes that one replica at a time consumes.
    pub(super) single: Option<Single>,
    /// The connection that carries the group's announcements.
    pub(super) herald: Option<Herald>,
    /// The broker is Flotilla's: it knows what a group is.
    pub(super) own_broker: bool,
    /// Subscriptions whose retained messages were seen to, by [`Order::token`](super::order::Order::token).
    pub(super) begun: HashSet<String>,
    /// Those of them that the store knows to have begun: it is told again and again. `None` before the first.
    pub(super) claimed: Option<HashSet<String>>,
    /// Sessions of dead replicas whose messages run one at a time.
    pub(super) careful: Vec<Careful>,
    /// The flow disconnected it: only the flow connects it again.
    pub(super) stopped: bool,
    pub(super) draining: bool,
}

/// A node that uses the broker.
pub(super) struct User {
    pub(super) node: Str,
    pub(super) consumes: bool,
    pub(super) no_local: bool,
}

/// The row of the type's table.
pub const TYPE: Stateless = Stateless::config("mqtt-broker", build);

fn build(cx: NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError> {
    let config = cx.config();
    let replica = &cx.settings().replica;
    let options = BrokerOptions::new(config, cx.credential("user"), cx.credential("password"), replica);
    if !config.bool_or("cleansession", true) && options.client_id().is_empty() {
        cx.report().warn(cx.text("mqtt.errors.nonclean-missingclientid", &[]));
    }
    if options.trusts_anyone() {
        cx.report().warn(cx.text("mqtt.errors.unverified", &[]));
    }
    Ok(Arc::new_cyclic(|me| MqttBroker {
        id: cx.id().clone(),
        shared: cx.shared().clone(),
        place: share::place(&options.url()),
        options: Mutex::new(options),
        state: Mutex::default(),
        own: None,
        me: me.clone(),
        letters: TaskTracker::new(),
    }))
}

impl BrokerState {
    /// The consuming clients.
    pub(super) fn consumers(&self) -> Vec<Arc<Client>> {
        self.consumer.iter().chain(&self.fleeting).cloned().collect()
    }

    /// The same with that of nodes which one replica at a time consumes.
    pub(super) fn all_consumers(&self) -> Vec<Arc<Client>> {
        let single = self.single.as_ref().map(|single| single.client.clone());
        self.consumers().into_iter().chain(single).collect()
    }
}

impl MqttBroker {
    /// A node that no document has. It speaks MQTT 5 only.
    pub(crate) fn own(
        cx: &NodeCx,
        config: &NodeConfig,
        user: Option<String>,
        password: Option<String>,
        own: Own,
    ) -> Arc<MqttBroker> {
        let options = BrokerOptions::new(config, user, password, &cx.settings().replica).only_v5(own.client.as_deref());
        Arc::new_cyclic(|me| MqttBroker {
            id: cx.id().clone(),
            shared: cx.shared().clone(),
            place: share::place(&options.url()),
            options: Mutex::new(options),
            state: Mutex::default(),
            own: Some(own),
            me: me.clone(),
            letters: TaskTracker::new(),
        })
    }

    /// True with MQTT 5 in the flow: messages have its properties.
    pub(super) fn v5(&self) -> bool {
        self.options.lock().version() == Version::V5
    }

    /// Connected and connecting, as Node-RED's node shows them.
    pub fn status(&self) -> (bool, bool) {
        let state = self.state.lock();
        (state.connected, state.running && !state.connected)
    }

    /// A node begins to use the broker. Called while nodes are built.
    pub(crate) fn register(&self, node: &Str, consumes: bool, no_local: bool) {
        self.state.lock().users.push(User { node: node.clone(), consumes, no_local });
        self.mark_if_wanted();
    }

    /// A node is gone; the last one to be removed ends the connection.
    pub(crate) async fn deregister(&self, node: &Str, removed: bool) {
        let last = {
            let mut state = self.state.lock();
            state.users.retain(|user| user.node != *node);
            state.users.is_empty() && state.running
        };
        self.mark_if_wanted();
        if removed && last {
            self.disconnect(true).await;
        }
    }

    /// A node has started: connect, unless the flow is to say when.
    pub(crate) fn started(&self) {
        let auto = self.options.lock().auto_connect();
        let (stopped, consumes) = {
            let state = self.state.lock();
            (state.stopped, state.users.iter().any(|user| user.consumes))
        };
        if stopped || !auto {
            return;
        }
        // A node that was deployed later may need the other kind of connection.
        let complete = {
            let state = self.state.lock();
            let runs = |client: &Option<Arc<Client>>| client.as_ref().is_some_and(|client| client.has_begun());
            let (lasting, fleeting) = self.consuming(&state);
            state.running
                && (!consumes || ((!lasting || runs(&state.consumer)) && (!fleeting || runs(&state.fleeting))))
                && (state.publisher.is_some()
                    || state.users.iter().all(|user| user.consumes)
                    || self.is_one_client(&state))
        };
        if !complete {
            self.connect();
        }
    }

    /// Itself, for what outlives a call.
    pub(super) fn weak(&self) -> Weak<MqttBroker> {
        self.me.clone()
    }

    /// Has the publishing client look again whether it may publish.
    pub(super) fn nudge(&self) {
        if let Some(publisher) = &self.state.lock().publisher {
            publisher.nudge();
        }
    }

    /// Runs something on the node's worker until the node is closed.
    pub(super) fn run_task(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Some(worker) = self.shared.worker_of(&self.id) else { return };
        let id = self.id.clone();
        worker.run(move |worker: &std::rc::Rc<Worker>| {
            if let Some(slot) = worker.slot(&id) {
                slot.cx.work().spawn(task);
            }
        });
    }

    /// Waits until the broker is connected or the connecting is given up.
    pub(super) async fn until_connected(&self) {
        let clients: Vec<_> = {
            let state = self.state.lock();
            state.consumers().into_iter().chain(state.publisher.clone()).collect()
        };
        join_all(clients.iter().map(|client| client.until_connected())).await;
    }

    /// Takes over what `msg.broker` names.
    pub(super) fn change(&self, changes: &Map<String, Json>) {
        self.options.lock().change(changes);
    }

    /// Publishes. Node-RED drops what is published while the flow has not connected the broker, and so do we.
    pub(crate) fn publish(&self, outgoing: Outgoing) {
        // Most of what a flow publishes is a part of what came: it is looked at no further.
        if !is_unrepeatable(&outgoing) {
            return self.publish_now(outgoing);
        }
        if !self.state.lock().running {
            return;
        }
        if let Some(outgoing) = self.keep_first(outgoing) {
            self.publish_now(outgoing);
        }
    }

    /// The same, whatever becomes of the message when this replica dies.
    pub(super) fn publish_now(&self, mut outgoing: Outgoing) {
        let client = {
            let state = self.state.lock();
            if !state.running {
                return;
            }
            if let Some(mark) = &state.mark {
                no_local::mark(&mut outgoing.publish, mark);
            }
            state.publisher.clone().or_else(|| state.consumer.clone()).or_else(|| state.fleeting.clone())
        };
        let Some(client) = client else { return };
        for (receipt, result) in client.publish(outgoing) {
            match result {
                Err(PublishError::Away) => self.lost(receipt),
                result => self.ended(receipt, result),
            }
        }
    }

    /// Publishes a birth or close message.
    pub(super) fn announce(&self, publish: Publish) {
        if !topic::is_topic(&publish.topic) {
            return self.shared.log(Level::Warn, self.shared.text("mqtt.errors.invalid-topic", &[]));
        }
        self.publish(Outgoing { publish, receipt: Receipt::None });
    }
}
