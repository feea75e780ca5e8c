//! What a message says of its content counts only where the flow speaks MQTT 5, whatever the wire speaks.

use std::process::Command;

use flotilla_value::Value;
use serde_json::json;

use super::broker::{Broker, until};
use super::flow::{broker, connected_node, grouped, held, node, run, take};

#[tokio::test(flavor = "multi_thread")]
async fn content_types_do_not_change_payloads_of_a_node_at_3_1_1() {
    let mosquitto = Broker::start();
    let gates = ["gate-content-4", "gate-content-5"];
    let mut flow = Vec::new();
    for (version, gate) in [(4, gates[0]), (5, gates[1])] {
        let id = format!("b{version}");
        flow.push(broker(mosquitto.port, version, &json!({"id": id})));
        let more = json!({"broker": id, "topic": "in", "qos": "1", "datatype": "auto-detect"});
        flow.push(node(&format!("in{version}"), "mqtt in", &[gate], &more));
        flow.push(node(gate, "test-gate", &[], &json!({})));
    }
    let engine = run(grouped("r1"), flow).await;
    connected_node(&engine, "b4").await;
    connected_node(&engine, "b5").await;
    let publish = |content: &str, payload: &str| {
        let port = mosquitto.port.to_string();
        let args =
            ["-V", "5", "-p", &port, "-q", "1", "-t", "in", "-D", "publish", "content-type", content, "-m", payload];
        assert!(Command::new("mosquitto_pub").args(args).status().unwrap().success());
    };
    publish("application/octet-stream", "abc");
    publish("text/plain", "{}");
    until("both have come to both", || held(gates[0]) == 2 && held(gates[1]) == 2);
    let came = |gate: &str| take(gate).iter().map(|msg| msg.get("payload")).collect::<Vec<_>>();
    let (older, newer) = (came(gates[0]), came(gates[1]));
    assert!(matches!(&older[..], [Value::String(text), Value::Object(_)] if text == "abc"), "{older:?}");
    assert!(matches!(&newer[..], [Value::Buffer(_), Value::String(text)] if text == "{}"), "{newer:?}");
    engine.shutdown().await;
}
