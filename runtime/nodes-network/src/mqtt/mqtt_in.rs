//! mqtt in: receives messages, from one filter or from those that the flow subscribes to.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use flotilla_codec::{QoS, RetainHandling};
use futures::future::LocalBoxFuture;
use indexmap::IndexMap;
use tokio::sync::watch;

use flotilla_engine::message::{Delivery, Msg};
use flotilla_engine::{Inert, Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Str, Value};

use super::broker::MqttBroker;
use super::dynamic::Subscribed;
use super::order::Order;
use super::replica_topic::filled;
use super::share::Subscription;
use super::{action, payload, properties};
use flotilla_mqtt::{DataType, Publish, SubscribeFilter, topic};

/// The node.
pub(super) struct MqttIn {
    pub(super) me: Weak<MqttIn>,
    pub(super) cx: NodeCx,
    pub(super) broker: Arc<MqttBroker>,
    pub(super) datatype: DataType,
    pub(super) each: bool,
    pub(super) single: bool,
    pub(super) order: Order,
    /// The filter of a node that is not dynamic.
    fixed: Option<Subscription>,
    /// What the flow subscribed to, by filter.
    pub(super) dynamic: RefCell<IndexMap<Str, Subscribed>>,
    /// Where the group keeps that: a node whose settings change begins without.
    pub(super) key: String,
    /// It was read there.
    pub(super) heard: watch::Sender<()>,
}

/// The row of the type's table.
pub const TYPE: Stateless = Stateless::node("mqtt in", build);

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let dynamic = config.num("inputs") == Some(1.0);
    let settings = cx.settings();
    let (filter, of_replica) = filled(config.str("topic"), &settings.replica);
    let filter = filter.as_ref();
    if !dynamic && !topic::is_filter(filter) {
        let text = cx.text("mqtt.errors.invalid-topic", &[]);
        cx.report().warn(text.as_str());
        cx.report().broken(text);
        return Ok(Rc::new(Inert::new(cx)));
    }
    let Some(broker) = cx.config_node::<MqttBroker>(config.str("broker")) else {
        cx.report().error(cx.text("mqtt.errors.missing-config", &[]), None);
        return Ok(Rc::new(Inert::new(cx.clone())));
    };
    if !dynamic && filter.is_empty() {
        cx.report().error(cx.text("mqtt.errors.not-defined", &[]), None);
        return Ok(Rc::new(Inert::new(cx.clone())));
    }
    let v5 = broker.v5();
    let qos = config.num("qos").and_then(|qos| QoS::from_bits(qos as u8)).unwrap_or(QoS::ExactlyOnce);
    let datatype = DataType::named(config.str("datatype"));
    let each = config.is_for_each() || of_replica;
    let grouped = settings.share_subscriptions;
    let single = grouped && !each && config.is_for_one() && !topic::is_special(filter);
    let (order, read) = Order::of(config);
    if let Err(why) = read {
        cx.report().error(Value::from(why), None);
    }
    let fixed = (!dynamic).then(|| Subscription {
        filter: SubscribeFilter {
            filter: Str::new(filter),
            qos,
            no_local: v5 && config.bool("nl"),
            retain_as_published: v5 && config.bool("rap"),
            retain_handling: retain_handling(config.int("rh")),
            id: None,
            user: Vec::new(),
        },
        datatype,
        each,
        single,
        order: order.clone(),
    });
    broker.register(cx.id(), true, fixed.as_ref().is_some_and(|subscription| subscription.filter.no_local));
    let key = order.token().to_owned();
    Ok(Rc::new_cyclic(|me| MqttIn {
        me: me.clone(),
        cx,
        broker,
        datatype,
        each,
        single,
        order,
        fixed,
        dynamic: RefCell::default(),
        key,
        heard: watch::Sender::new(()),
    }))
}

/// Node-RED's `rh`.
pub(super) fn retain_handling(rh: Option<i64>) -> RetainHandling {
    match rh {
        Some(1) => RetainHandling::IfNew,
        Some(2) => RetainHandling::Never,
        _ => RetainHandling::Always,
    }
}

/// The status of a node that starts beside a broker that is connected already, or not yet.
pub(crate) fn show_first(cx: &NodeCx, broker: &MqttBroker) {
    let (fill, shape, key) = match broker.status() {
        (true, _) => ("green", "dot", "node-red:common.status.connected"),
        _ => ("red", "ring", "node-red:common.status.disconnected"),
    };
    cx.report().show(fill, shape, cx.text(key, &[]));
}

/// Sends a received message on, as part of its delivery.
pub(super) fn emit(cx: &NodeCx, datatype: DataType, publish: &Publish, v5: bool, local: bool, delivery: Arc<Delivery>) {
    let decoded = payload::decode(datatype, publish, v5);
    let mut msg = Object::with_capacity(8);
    let (payload, error) = match decoded {
        Ok(payload) => (payload, None),
        Err((key, payload)) => (payload, Some(key)),
    };
    msg.insert(Str::new_static("topic"), Value::String(publish.topic.clone()));
    msg.insert(Str::new_static("payload"), payload);
    msg.insert(Str::new_static("qos"), f64::from(publish.qos as u8));
    msg.insert(Str::new_static("retain"), publish.retain);
    if let Some(props) = publish.props.as_deref().filter(|_| v5 && error.is_none()) {
        properties::into_message(props, &mut msg);
    }
    if local && error.is_none() {
        msg.insert(Str::new_static("_topic"), Value::String(publish.topic.clone()));
    }
    let msg = Msg::new(msg).in_delivery(Some(delivery));
    match error {
        None => cx.out().send(msg),
        Some(key) => cx.report().error(cx.text(key, &[]), Some(&msg)),
    }
}

impl Node for MqttIn {
    fn receive(&self, mut msg: Msg) {
        let cx = &self.cx;
        let action = msg.get("action");
        match action.as_str() {
            Some("connect") => action::connect(cx, &self.broker, msg),
            Some("disconnect") => action::disconnect(cx, &self.broker, msg),
            Some(which @ ("subscribe" | "unsubscribe")) => self.subscribe_by(msg, which == "subscribe"),
            Some("getSubscriptions") => {
                msg.set("topic", "subscriptions");
                msg.set("payload", self.subscriptions());
                cx.out().send(msg.clone());
                cx.report().done(&msg);
            }
            _ => cx.report().error(action::error(cx, "mqtt.errors.invalid-action-action"), Some(&msg)),
        }
    }

    fn start(&self) {
        show_first(&self.cx, &self.broker);
        if let Some(subscription) = &self.fixed {
            self.broker.subscribe(subscription, self.cx.id());
        }
        self.broker.started();
        if self.fixed.is_none() {
            self.follow();
        }
    }

    fn close(&self, removed: bool) -> LocalBoxFuture<'static, ()> {
        let dynamic = std::mem::take(&mut *self.dynamic.borrow_mut());
        for subscription in self.fixed.iter().chain(dynamic.values().map(|held| &held.subscription)) {
            self.broker.unsubscribe(subscription, self.cx.id(), removed);
        }
        let (cx, broker) = (self.cx.clone(), self.broker.clone());
        Box::pin(async move {
            cx.report().show("red", "ring", cx.text("node-red:common.status.disconnected", &[]));
            broker.deregister(cx.id(), removed).await;
        })
    }
}
