//! What runs under chaos, and the load on it.

use std::net::SocketAddr;

use flotilla_tests::Load;
use serde_json::{Value, json};

use crate::rollout_flow::flow;

/// Replicas say which ticks they fire, see [`super::verdict`].
pub const SAYS_TICKS: (&str, &str) = ("RUST_LOG", "info,flotilla::replica::schedule=debug");
/// The inject node of each flow here: it fires twice a second, once in the group.
pub const TIMER: &str = "chaos-timer";

/// Takes `in/KEY`, runs `hold` first, and publishes it to `out/KEY`; `order` is the `ha` of its mqtt in node. Beside it a timer.
pub fn held(mark: &str, hold: &str, order: &Value) -> Value {
    let mut document = flow(mark, &format!("msg.topic = msg.topic.replace('in/', 'out/');\n{hold}"));
    for node in document.as_array_mut().into_iter().flatten() {
        match node["type"].as_str() {
            Some("mqtt in") => {
                node["topic"] = Value::from("in/+");
                node["ha"] = order.clone();
            }
            Some("mqtt out") => node["topic"] = Value::from(""),
            _ => {}
        }
    }
    if let Some(nodes) = document.as_array_mut() {
        nodes.push(json!({
            "id": TIMER, "type": "inject", "z": "t1", "name": "timer", "props": [{"p": "payload"}], "repeat": "0.5",
            "crontab": "", "once": false, "onceDelay": 0.1, "topic": "", "payload": "", "payloadType": "date", "x": 100,
            "y": 300, "wires": [[]]
        }));
    }
    document
}

/// The flow of the machines that are cut off and of the full disk: by key, as groups do it where nobody asks for something else.
/// Each message is held for some time, so that a replica always has some that are not acknowledged.
pub fn keyed(mark: &str) -> Value {
    held(mark, "await new Promise(resolve => setTimeout(resolve, 20));", &Value::Null)
}

/// Messages over 20 keys, `rate` a second, and what comes out of them.
pub fn load(broker: SocketAddr, rate: f64, seconds: u64) -> Load {
    Load { broker, topic: "in/{1..20}".into(), outputs: "out/+".into(), rate, seconds, drain: 45, clients: 5 }
}
