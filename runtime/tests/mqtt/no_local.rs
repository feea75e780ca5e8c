//! "Do not receive messages published by this client": in a group the client is the broker node, in all replicas.

use flotilla_value::Value;
use serde_json::json;

use super::broker::{Broker, LIMIT, until};
use super::flow::{broker, connected, grouped, held, node, run, take};

async fn no_message_of_the_group_comes_back(ha: Option<&str>, gates: [&str; 2]) {
    let mosquitto = Broker::start();
    let outside = mosquitto.subscribe("loop", 1);
    let mut flow = vec![
        broker(mosquitto.port, 5, &json!({})),
        // It publishes to the topic that it subscribes to: without No Local it goes round for ever.
        node("in", "mqtt in", &["out", gates[0]], &json!({"topic": "loop", "qos": "1", "nl": true, "ha": ha})),
        node("out", "mqtt out", &[], &json!({"topic": "loop", "qos": "1"})),
        node(gates[0], "test-gate", &[], &json!({})),
        node(gates[1], "test-gate", &[], &json!({})),
    ];
    let mut replicas = vec![];
    for name in ["r1", "r2"] {
        if name == "r2" {
            // One replica only: this node is to see everything, also what the flow publishes.
            let every = json!({"topic": "loop", "qos": "1", "ha": "each"});
            flow.push(node("every", "mqtt in", &[gates[1]], &every));
        }
        let replica = run(grouped(name), flow.clone()).await;
        connected(&replica).await;
        replicas.push(replica);
    }
    let each = if ha.is_some() { 2 } else { 1 };
    for n in 0..20 {
        mosquitto.publish("loop", 1, n..n + 1);
        // Itself, and what each replica that received it has published.
        until("what was published has come", || outside.all().len() >= (n + 1) * (1 + each));
        until("it has come to the node without No Local too", || held(gates[1]) >= (n + 1) * (1 + each));
    }
    until("all have come from outside", || held(gates[0]) >= 20 * each);
    // They stand behind each other at the broker: had any come back, it had come by now.
    assert_eq!((held(gates[0]), held(gates[1])), (20 * each, 20 * (1 + each)));
    assert!(take(gates[1]).iter().all(|msg| matches!(msg.get("userProperties"), Value::Undefined)), "the mark is seen");
    drop(take(gates[0]));
    for replica in replicas {
        assert_eq!(replica.drain(LIMIT).await, 0);
        replica.shutdown().await;
    }
    assert_eq!(outside.all().len(), 20 * (1 + each));
}

#[tokio::test(flavor = "multi_thread")]
async fn shared() {
    no_message_of_the_group_comes_back(None, ["gate-nl-1", "gate-nl-2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_each() {
    no_message_of_the_group_comes_back(Some("each"), ["gate-nl-3", "gate-nl-4"]).await;
}
