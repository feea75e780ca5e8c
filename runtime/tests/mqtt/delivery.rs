//! A message is acknowledged when its delivery has ended, in order.

use flotilla_runtime::settings::Settings;
use serde_json::json;

use super::broker::{Broker, until};
use super::flow::{broker, connected, held, node, run, take};

fn messages(port: u16) -> Vec<serde_json::Value> {
    vec![broker(port, 5, &json!({"cleansession": false, "clientid": "keeper", "sessionExpiry": "300"}))]
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_finished_prefix_is_acknowledged() {
    let mosquitto = Broker::start();
    let gate = "gate-prefix";
    let flow = || {
        let mut flow = messages(mosquitto.port);
        flow.push(node("in", "mqtt in", &[gate], &json!({"topic": "in", "qos": "1"})));
        flow.push(node(gate, "test-gate", &[], &json!({})));
        flow
    };
    let engine = run(Settings::default(), flow()).await;
    connected(&engine).await;
    mosquitto.publish("in", 1, 0..10);
    until("all ten are held", || held(gate) == 10);
    let mut held_now = take(gate);
    // The first five end, then all but the sixth: the sixth holds the others back.
    drop(held_now.drain(..5).collect::<Vec<_>>());
    let sixth = held_now.remove(0);
    drop(held_now);
    until("only the sixth is open", || engine.shared().deliveries.counts().in_flight == 1);
    engine.stop().await;
    drop(sixth);
    let engine = {
        engine.shutdown().await;
        run(Settings::default(), flow()).await
    };
    connected(&engine).await;
    until("what was not acknowledged comes again", || held(gate) == 5);
    let again: Vec<String> = take(gate).iter().map(|msg| msg.get("payload").to_text().to_string()).collect();
    assert_eq!(again, ["5", "6", "7", "8", "9"]);
    engine.shutdown().await;
}
