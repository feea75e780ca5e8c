//! A message is acknowledged when its delivery has ended, in order, and no more are taken than may be open.

use flotilla_engine::settings::{OnFailure, Settings};
use serde_json::json;

use super::broker::{Broker, until};
use super::flow::{broker, connected, held, node, release, run, take};

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
    until("only the sixth is open", || engine.shared().deliveries().counts().in_flight == 1);
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

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_taken_than_may_be_open() {
    for (version, qos) in [(5, 1), (4, 1), (4, 0)] {
        let mosquitto = Broker::start();
        let gate = format!("gate-bound-{version}-{qos}");
        let mut flow = vec![broker(mosquitto.port, version, &json!({}))];
        flow.push(node("in", "mqtt in", &[&gate], &json!({"topic": "in", "qos": "1"})));
        flow.push(node(&gate, "test-gate", &[], &json!({})));
        let engine = run(Settings { max_in_flight: 7, ..Settings::default() }, flow).await;
        connected(&engine).await;
        mosquitto.publish("in", qos, 0..100);
        let mut seen = Vec::new();
        while seen.len() < 100 {
            until("the gate holds what may be open", || held(&gate) >= 7.min(100 - seen.len()));
            assert!(held(&gate) <= 7, "MQTT {version} QoS {qos}: {} are open", held(&gate));
            seen.extend(take(&gate).iter().map(|msg| msg.get("payload").to_text().to_string()));
        }
        assert_eq!(seen, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
        engine.shutdown().await;
    }
}

/// As with a join that waits for its last part: what stays open must not keep out what there is room for.
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_stay_open_leave_the_rest_of_the_room() {
    let mosquitto = Broker::start();
    let gate = "gate-long";
    let flow = vec![
        // No pings, which would wake the client.
        broker(mosquitto.port, 4, &json!({"keepalive": "0"})),
        node("in", "mqtt in", &[gate], &json!({"topic": "in", "qos": "1"})),
        node(gate, "test-gate", &[], &json!({})),
    ];
    let engine = run(Settings { max_in_flight: 8, ..Settings::default() }, flow).await;
    connected(&engine).await;
    mosquitto.publish("in", 1, 0..20);
    for _ in 0..6 {
        until("the gate holds what may be open", || held(gate) == 8);
        release(gate, 2);
    }
    drop(take(gate));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_deliveries_run_again_and_then_become_dead_letters() {
    let mosquitto = Broker::start();
    let letters = mosquitto.subscribe("flotilla/dead-letter/default/in", 1);
    let out = mosquitto.subscribe("out", 1);
    for (times, retries) in [(2, 3), (9, 2)] {
        let mut flow = vec![broker(mosquitto.port, 4, &json!({}))];
        flow.push(node("in", "mqtt in", &["fail"], &json!({"topic": "in", "qos": "1"})));
        flow.push(node("fail", "test-fail", &["out"], &json!({"times": times})));
        flow.push(node("out", "mqtt out", &[], &json!({"topic": "out", "qos": "1"})));
        let settings = Settings { on_failure: OnFailure::Retry, max_retries: retries, ..Settings::default() };
        let engine = run(settings, flow).await;
        connected(&engine).await;
        mosquitto.publish("in", 1, times..times + 1);
        let to = if times == 2 { &out } else { &letters };
        until("the message comes to its end", || to.numbers().contains(&times));
        engine.shutdown().await;
    }
    assert_eq!((out.all().len(), letters.all().len()), (1, 1));
}
