//! The flow of the machines that are cut off and of the full disk.

use serde_json::Value;

use crate::rollout_flow::flow;

/// Takes `in/KEY`, holds each message for some time, so that a replica always has some that are not acknowledged, and publishes
/// it to `out/KEY`.
pub fn keyed(mark: &str) -> Value {
    let body = "msg.topic = msg.topic.replace('in/', 'out/');\nawait new Promise(resolve => setTimeout(resolve, 20));";
    let mut document = flow(mark, body);
    for node in document.as_array_mut().into_iter().flatten() {
        match node["type"].as_str() {
            Some("mqtt in") => {
                node["topic"] = Value::from("in/+");
                node["ha"] = Value::Null;
            }
            Some("mqtt out") => node["topic"] = Value::from(""),
            _ => {}
        }
    }
    document
}
