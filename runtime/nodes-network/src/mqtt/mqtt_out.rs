//! mqtt out: publishes messages.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_codec::QoS;
use futures::future::LocalBoxFuture;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{ErrorValue, Str, Value};

use super::broker::MqttBroker;
use super::replica_topic::filled;
use super::{action, payload, properties};
use flotilla_mqtt::{Outgoing, Publish, PublishProps, Receipt, topic};

/// The node: what it sets overrides the message.
struct MqttOut {
    cx: NodeCx,
    broker: Option<Arc<MqttBroker>>,
    topic: Option<Str>,
    /// Unset: the message says.
    qos: Option<QoS>,
    retain: Value,
    props: PublishProps,
}

/// The row of the type's table.
pub const TYPE: Stateless = Stateless::node("mqtt out", build);

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let broker = cx.config_node::<MqttBroker>(config.str("broker"));
    match &broker {
        Some(broker) => broker.register(cx.id(), false, false),
        None => cx.report().error(cx.text("mqtt.errors.missing-config", &[]), None),
    }
    let value = |key: &str| config.get(key).map(flotilla_value::from_json).unwrap_or_default();
    let settings = cx.settings();
    let own = |topic: &str| Str::new(&filled(topic, &settings.replica).0);
    let props = PublishProps {
        response_topic: properties::text(&value("respTopic")).map(|topic| own(&topic)),
        correlation: properties::bytes(&value("correl")),
        content_type: properties::text(&value("contentType")),
        expiry: properties::integer(&value("expiry")),
        user: if value("userProps").as_str().is_some() { properties::user(&value("userProps")) } else { Vec::new() },
        ..PublishProps::default()
    };
    // Node-RED: `qos || null`, so the number 0 is unset and the text "0" is set.
    let qos = value("qos").truthy().then(|| value("qos").to_number()).and_then(|qos| QoS::from_bits(qos as u8));
    let topic = config.opt_str("topic").map(own);
    let retain = value("retain");
    Ok(Rc::new(MqttOut { cx, broker, topic, qos, retain, props }))
}

impl MqttOut {
    fn qos(&self, msg: &Msg) -> QoS {
        if let Some(qos) = self.qos {
            return qos;
        }
        let number = msg.get_ref("qos").map_or(0.0, Value::to_number);
        if number.fract() == 0.0 && (0.0..=2.0).contains(&number) {
            QoS::from_bits(number as u8).unwrap_or_default()
        } else {
            QoS::AtMostOnce
        }
    }

    fn retain(&self, msg: &Msg) -> bool {
        let retain = if self.retain.truthy() { self.retain.clone() } else { msg.get("retain") };
        matches!(retain, Value::Bool(true)) || retain.as_str() == Some("true")
    }

    fn props(&self, msg: &Msg) -> Option<Box<PublishProps>> {
        let own = &self.props;
        let mut props = properties::from_message(|key| msg.get(key));
        if *own != PublishProps::default() {
            let given = props.get_or_insert_default();
            given.response_topic = own.response_topic.clone().or(given.response_topic.take());
            given.correlation = own.correlation.clone().or(given.correlation.take());
            given.content_type = own.content_type.clone().or(given.content_type.take());
            given.expiry = own.expiry.or(given.expiry);
            if !own.user.is_empty() {
                given.user.clone_from(&own.user);
            }
        }
        props
    }

    fn publish(&self, broker: &MqttBroker, msg: Msg) {
        let Some(value) = msg.get_ref("payload") else { return self.cx.report().done(&msg) };
        let payload = match payload::encode(value) {
            Ok(payload) => payload,
            Err(error) => {
                return self.cx.report().error(Value::Error(Arc::new(ErrorValue::new(error.to_string()))), Some(&msg));
            }
        };
        let mut props = if broker.v5() { self.props(&msg) } else { None };
        let mut topic = match &self.topic {
            Some(topic) => topic.clone(),
            None => msg.get_ref("topic").and_then(Value::as_str).map(Str::new).unwrap_or_default(),
        };
        if topic.is_empty()
            && let Some(response) = props.as_mut().and_then(|props| props.response_topic.take())
        {
            // Node-RED answers a request that names no topic of its own.
            topic = response;
        }
        if !topic::is_topic(&topic) {
            let text = action::error(&self.cx, "mqtt.errors.invalid-topic");
            self.cx.report().warn(text);
            return;
        }
        let (qos, retain) = (self.qos(&msg), self.retain(&msg));
        if let Some(trail) = msg.delivery().and_then(|delivery| delivery.trail()) {
            trail.publishes(&topic, qos as u8);
        }
        let publish = Publish { qos, retain, topic, payload, props, ..Publish::default() };
        broker.publish(Outgoing { publish, receipt: Receipt::Node(self.cx.id().clone(), msg, qos) });
    }
}

impl Node for MqttOut {
    fn receive(&self, msg: Msg) {
        let Some(broker) = &self.broker else { return self.cx.report().refuse(&msg) };
        match msg.get_ref("action") {
            Some(action) if action.truthy() => match action.as_str() {
                Some("connect") => action::connect(&self.cx, broker, msg),
                Some("disconnect") => action::disconnect(&self.cx, broker, msg),
                _ => self.cx.report().error(action::error(&self.cx, "mqtt.errors.invalid-action-action"), Some(&msg)),
            },
            _ => self.publish(broker, msg),
        }
    }

    fn start(&self) {
        if let Some(broker) = &self.broker {
            super::mqtt_in::show_first(&self.cx, broker);
            broker.started();
        }
    }

    fn close(&self, removed: bool) -> LocalBoxFuture<'static, ()> {
        let (cx, broker) = (self.cx.clone(), self.broker.clone());
        Box::pin(async move {
            if let Some(broker) = broker {
                cx.report().show("red", "ring", cx.text("node-red:common.status.disconnected", &[]));
                broker.deregister(cx.id(), removed).await;
            }
        })
    }
}
