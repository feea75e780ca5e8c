//! Several broker nodes that mean one broker: each gets every message, as in Node-RED, once for the whole group.

use std::collections::BTreeSet;

use flotilla_engine::{Credentials, DeployMode, Engine};
use serde_json::{Value, json};

use super::broker::{Broker, LIMIT, until};
use super::flow::{broker, connected_node, document, grouped, held, node, run, take};

/// Two broker nodes to one broker, under two of its names, each with a node of the same filter and a gate behind it.
fn pair(port: u16, gates: [&str; 2]) -> Vec<Value> {
    vec![
        broker(port, 5, &json!({"id": "b1"})),
        broker(port, 5, &json!({"id": "b2", "broker": "localhost"})),
        node("in1", "mqtt in", &[gates[0]], &json!({"broker": "b1", "topic": "in/#", "qos": "1"})),
        node("in2", "mqtt in", &[gates[1]], &json!({"broker": "b2", "topic": "in/#", "qos": "1"})),
        node(gates[0], "test-gate", &[], &json!({})),
        node(gates[1], "test-gate", &[], &json!({})),
    ]
}

async fn shutdown(engine: Engine) {
    assert_eq!(engine.drain(LIMIT).await, 0);
    engine.shutdown().await;
}

/// Every number came to the gate, once.
fn expect_once(gate: &str, range: std::ops::Range<usize>) {
    until("every message has come", || held(gate) >= range.len());
    let came: Vec<usize> = take(gate).iter().map(|msg| msg.get("payload").to_text().parse().unwrap()).collect();
    let distinct: BTreeSet<usize> = came.iter().copied().collect();
    assert!(came.len() == range.len() && distinct == range.collect(), "{gate}: {came:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broker_node_gets_every_message_once_for_the_group() {
    let mosquitto = Broker::start();
    let gates = ["gate-several-1", "gate-several-2"];
    let mut replicas = Vec::new();
    for name in ["r1", "r2"] {
        let replica = run(grouped(name), pair(mosquitto.port, gates)).await;
        connected_node(&replica, "b1").await;
        connected_node(&replica, "b2").await;
        replicas.push(replica);
    }
    mosquitto.publish("in/a", 1, 0..100);
    for gate in gates {
        expect_once(gate, 0..100);
    }
    for replica in replicas {
        shutdown(replica).await;
    }
}

/// The first broker node has the group's own share name. A replica that keeps the other one over a deploy which takes the
/// first away has to end in the same share group as a replica that starts with the new document.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_broker_node_moves_up_when_the_first_is_gone() {
    let mosquitto = Broker::start();
    let gates = ["gate-moves-1", "gate-moves-2"];
    let old = run(grouped("r1"), pair(mosquitto.port, gates)).await;
    connected_node(&old, "b2").await;
    let without: Vec<Value> = pair(mosquitto.port, gates)
        .into_iter()
        .filter(|node| !["b1", "in1", gates[0]].contains(&node["id"].as_str().unwrap()))
        .collect();
    assert_eq!(old.drain(LIMIT).await, 0);
    let report = old.deploy(&document(without.clone()), Credentials::default(), DeployMode::Nodes).await.unwrap();
    assert_eq!((report.kept, report.removed), (3, 3));
    old.resume().await;
    let new = run(grouped("r2"), without).await;
    connected_node(&old, "b2").await;
    connected_node(&new, "b2").await;
    mosquitto.publish("in/a", 1, 0..100);
    expect_once(gates[1], 0..100);
    shutdown(old).await;
    shutdown(new).await;
}
