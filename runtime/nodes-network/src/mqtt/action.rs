//! `msg.action` connect and disconnect, which `mqtt in` and `mqtt out` have in common.

use std::sync::Arc;

use flotilla_engine::NodeCx;
use flotilla_engine::message::Msg;
use flotilla_value::{ErrorValue, Value, to_json};

use super::broker::MqttBroker;

/// An error of the catalogue, as Node-RED throws it.
pub(super) fn error(cx: &NodeCx, key: &str) -> Value {
    Value::Error(Arc::new(ErrorValue::new(cx.text(key, &[]))))
}

/// Connects, with the options in `msg.broker` if there are any.
pub(super) fn connect(cx: &NodeCx, broker: &Arc<MqttBroker>, msg: Msg) {
    let changes = match to_json(&msg.get("broker")) {
        Some(serde_json::Value::Object(changes)) => Some(changes),
        _ => None,
    };
    let (connected, connecting) = broker.status();
    let force = changes.as_ref().and_then(|changes| changes.get("force")).map(flotilla_value::from_json);
    match (&changes, connected || connecting) {
        (None, true) => return cx.report().done(&msg),
        (Some(_), true) if !force.is_some_and(|force| force.truthy()) => {
            return cx.report().error(error(cx, "mqtt.errors.invalid-action-alreadyconnected"), Some(&msg));
        }
        _ => {}
    }
    let (node, broker) = (cx.clone(), broker.clone());
    cx.work().spawn(async move {
        if connected || connecting {
            broker.disconnect(!broker.has_herald()).await;
        }
        if let Some(changes) = &changes {
            broker.change(changes);
        }
        broker.connect();
        broker.until_connected().await;
        node.report().done(&msg);
    });
}

/// Disconnects.
pub(super) fn disconnect(cx: &NodeCx, broker: &Arc<MqttBroker>, msg: Msg) {
    let (node, broker) = (cx.clone(), broker.clone());
    cx.work().spawn(async move {
        // In a group the announcements are the group's, which goes on.
        broker.disconnect(!broker.has_herald()).await;
        node.report().done(&msg);
    });
}
