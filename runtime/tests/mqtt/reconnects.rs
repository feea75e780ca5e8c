//! Connections are cut and brokers restarted: nothing is lost.

use flotilla_engine::settings::Settings;
use serde_json::json;

use super::broker::{Broker, until};
use super::flow::{broker, connected, grouped, node, run};
use super::proxy::Proxy;

async fn survives_cuts(qos: u8, total: usize, cuts: usize) {
    let mosquitto = Broker::start();
    let proxy = Proxy::start(mosquitto.port).await;
    let collector = mosquitto.subscribe("out", qos);
    let engine = run(
        grouped("r1"),
        vec![
            broker(proxy.port, 5, &json!({})),
            node("in", "mqtt in", &["out"], &json!({"topic": "in", "qos": qos.to_string(), "datatype": "utf8"})),
            node("out", "mqtt out", &[], &json!({"topic": "out", "qos": qos.to_string()})),
        ],
    )
    .await;
    connected(&engine).await;
    let part = total / (cuts + 1);
    for at in 0..=cuts {
        mosquitto.publish("in", qos, at * part..(at + 1) * part);
        if at < cuts {
            until("some of this part have come", || collector.numbers().len() > at * part);
            proxy.cut();
            until("connected again", || proxy.open() == 2);
        }
    }
    collector.expect(0..part * (cuts + 1));
    if qos == 2 {
        assert_eq!(collector.all().len(), part * (cuts + 1), "at QoS 2 none comes twice");
    }
    assert_eq!(engine.drain(super::broker::LIMIT).await, 0);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qos_1_over_cut_connections() {
    survives_cuts(1, 4000, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qos_2_over_cut_connections_exactly_once() {
    survives_cuts(2, 2000, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_outlives_a_broker_restart() {
    let mut source = Broker::start();
    let mut sink = Broker::start();
    let collector_topic = "out";
    let engine = run(
        Settings::default(),
        vec![
            broker(source.port, 4, &json!({})),
            json!({"id": "b2", "type": "mqtt-broker", "broker": "127.0.0.1", "port": sink.port.to_string(),
                "protocolVersion": "5", "keepalive": "60"}),
            node("in", "mqtt in", &["out"], &json!({"topic": "in", "qos": "1"})),
            node("out", "mqtt out", &[], &json!({"topic": collector_topic, "qos": "1", "broker": "b2"})),
        ],
    )
    .await;
    connected(&engine).await;
    sink.restart();
    source.publish("in", 1, 0..500);
    let collector = sink.subscribe(collector_topic, 1);
    source.publish("in", 1, 500..1000);
    sink.restart();
    source.publish("in", 1, 1000..1500);
    drop(collector);
    // Persistent collectors keep what came while they were away.
    let collector = sink.subscribe(collector_topic, 1);
    source.publish("in", 1, 1500..2000);
    until("all deliveries have ended", || engine.shared().deliveries().counts().in_flight == 0);
    assert_eq!(engine.shared().deliveries().counts().completed, 2000);
    until("the last part has come", || (1500..2000).all(|n| collector.numbers().contains(&n)));
    engine.shutdown().await;
    let _ = &mut source;
}
