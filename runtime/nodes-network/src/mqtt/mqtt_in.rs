//! mqtt in: receives messages, from one filter or from those that the flow subscribes to.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use flotilla_codec::{QoS, RetainHandling};
use futures::future::LocalBoxFuture;
use indexmap::IndexMap;

use flotilla_engine::message::{Delivery, Msg};
use flotilla_engine::{Inert, Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Str, Value};

use super::broker::MqttBroker;
use super::order::Order;
use super::replica_topic::filled;
use super::share::Wish;
use super::{action, payload, properties};
use flotilla_mqtt::{DataType, Publish, SubscribeFilter, topic};

/// The node.
struct MqttIn {
    cx: NodeCx,
    broker: Arc<MqttBroker>,
    datatype: DataType,
    each: bool,
    order: Order,
    /// The filter of a node that is not dynamic.
    fixed: Option<Wish>,
    /// What the flow subscribed to, with the subscription as `getSubscriptions` shows it.
    dynamic: RefCell<IndexMap<Str, (Wish, Value)>>,
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
    let (order, read) = Order::of(config);
    if let Err(why) = read {
        cx.report().error(Value::from(why), None);
    }
    let fixed = (!dynamic).then(|| Wish {
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
        order: order.clone(),
    });
    broker.register(cx.id(), true, fixed.as_ref().is_some_and(|wish| wish.filter.no_local));
    Ok(Rc::new(MqttIn { cx, broker, datatype, each, order, fixed, dynamic: RefCell::default() }))
}

/// Node-RED's `rh`.
fn retain_handling(rh: Option<i64>) -> RetainHandling {
    match rh {
        Some(1) => RetainHandling::IfNew,
        Some(2) => RetainHandling::Never,
        _ => RetainHandling::Always,
    }
}

/// The status of a node that starts beside a broker that is connected already, or not yet.
pub(super) fn show_first(cx: &NodeCx, broker: &MqttBroker) {
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

impl MqttIn {
    fn subscriptions(&self) -> Value {
        Value::array(self.dynamic.borrow().values().map(|(_, shown)| shown.clone()).collect())
    }

    /// The subscriptions that `msg.topic` names: texts or objects, one or several.
    fn named(&self, msg: &Msg, all: bool) -> Result<Vec<Value>, &'static str> {
        let given = match msg.get("topic") {
            Value::Bool(true) if all => self.dynamic.borrow().values().map(|(_, shown)| shown.clone()).collect(),
            Value::Array(items) => items.to_vec(),
            item @ (Value::String(_) | Value::Object(_)) => vec![item],
            _ => return Err("mqtt.errors.invalid-action-badsubscription"),
        };
        let named = given.into_iter().map(|item| match item {
            Value::String(topic) => Value::from([("topic", Value::String(topic))].into_iter().collect::<Object>()),
            other => other,
        });
        let named: Vec<Value> = named.collect();
        let good =
            |item: &Value| item.get("topic").as_str().is_some_and(|text| !text.is_empty() && topic::is_filter(text));
        if named.iter().all(good) { Ok(named) } else { Err("mqtt.errors.invalid-topic") }
    }

    fn drop_one(&self, filter: &str) {
        if let Some((wish, _)) = self.dynamic.borrow_mut().shift_remove(filter) {
            self.broker.unsubscribe(&wish, self.cx.id(), true);
        }
    }

    fn subscribe_one(&self, mut shown: Value) {
        let named = Str::new(shown.get("topic").as_str().unwrap_or_default());
        let settings = self.cx.settings();
        let (filter, of_replica) = filled(&named, &settings.replica);
        let filter = Str::new(&filter);
        // Always unsubscribe first, so that retained messages come again.
        self.drop_one(&named);
        let small = |key: &str, default: u8| match properties::integer(&shown.get(key)) {
            Some(number) if number <= 2 => number as u8,
            Some(_) => default,
            None if shown.get(key).is_undefined() => default,
            None => default,
        };
        let flag = |key: &str| match shown.get(key) {
            Value::Bool(flag) => Some(flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let v5 = self.broker.v5();
        let (qos, rh, rap, nl) = (small("qos", 2), small("rh", 0), flag("rap"), flag("nl"));
        let datatype = shown.get("datatype");
        let wish = Wish {
            filter: SubscribeFilter {
                filter: filter.clone(),
                qos: QoS::from_bits(qos).unwrap_or_default(),
                no_local: v5 && nl == Some(true),
                retain_as_published: v5 && rap.unwrap_or(true),
                retain_handling: retain_handling(v5.then_some(i64::from(rh))),
                id: None,
                user: Vec::new(),
            },
            order: self.order.clone(),
            datatype: datatype.as_str().map_or(self.datatype, DataType::named),
            each: self.each || of_replica,
        };
        if let Some(object) = shown.as_object_mut() {
            object.insert("qos", f64::from(qos));
            if v5 {
                object.insert("rh", f64::from(rh));
                object.insert("rap", rap.unwrap_or(true));
                match nl {
                    Some(nl) => drop(object.insert("nl", nl)),
                    None => drop(object.remove("nl")),
                }
            }
        }
        self.broker.subscribe(&wish, self.cx.id());
        self.dynamic.borrow_mut().insert(named, (wish, shown));
    }
}

impl Node for MqttIn {
    fn receive(&self, mut msg: Msg) {
        let cx = &self.cx;
        let action = msg.get("action");
        match action.as_str() {
            Some("connect") => action::connect(cx, &self.broker, msg),
            Some("disconnect") => action::disconnect(cx, &self.broker, msg),
            Some(which @ ("subscribe" | "unsubscribe")) => {
                let named = match self.named(&msg, which == "unsubscribe") {
                    Ok(named) => named,
                    Err(key) => return cx.report().error(action::error(cx, key), Some(&msg)),
                };
                for item in named {
                    match which {
                        "subscribe" => self.subscribe_one(item),
                        _ => self.drop_one(item.get("topic").as_str().unwrap_or_default()),
                    }
                }
                msg.set("subscriptions", self.subscriptions());
                cx.report().done(&msg);
            }
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
        if let Some(wish) = &self.fixed {
            self.broker.subscribe(wish, self.cx.id());
        }
        self.broker.started();
    }

    fn close(&self, removed: bool) -> LocalBoxFuture<'static, ()> {
        let dynamic = std::mem::take(&mut *self.dynamic.borrow_mut());
        for wish in self.fixed.iter().chain(dynamic.values().map(|(wish, _)| wish)) {
            self.broker.unsubscribe(wish, self.cx.id(), removed);
        }
        let (cx, broker) = (self.cx.clone(), self.broker.clone());
        Box::pin(async move {
            cx.report().show("red", "ring", cx.text("node-red:common.status.disconnected", &[]));
            broker.deregister(cx.id(), removed).await;
        })
    }
}
