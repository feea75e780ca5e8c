//! An engine with a flow of MQTT nodes.

use std::sync::Arc;

use flotilla_engine::context::Contexts;
use flotilla_engine::message::Msg;
use flotilla_engine::observe::{Observer, TracingObserver};
use flotilla_engine::settings::Settings;
use flotilla_engine::{Alone, Credentials, DeployMode, Engine, EngineParts, Node, NodeCx, NodeError, Stateless};
use flotilla_flows::Document;
use flotilla_nodes_network::mqtt::MqttBroker;
use serde_json::{Value, json};

/// The node types of these tests: MQTT's, and some that hold or fail messages.
pub const TYPES: &[Stateless] = &[
    flotilla_nodes_network::mqtt::IN,
    flotilla_nodes_network::mqtt::OUT,
    flotilla_nodes_network::mqtt::BROKER,
    Stateless::node("test-gate", gate),
    Stateless::node("test-fail", fail),
];

/// What the gates hold, by node id, until the test lets them go.
pub static HELD: std::sync::Mutex<Vec<(String, Msg)>> = std::sync::Mutex::new(Vec::new());

struct Gate(NodeCx);

impl Node for Gate {
    fn receive(&self, msg: Msg) {
        HELD.lock().unwrap().push((self.0.id().to_string(), msg));
    }
}

fn gate(cx: NodeCx) -> Result<std::rc::Rc<dyn Node>, NodeError> {
    Ok(std::rc::Rc::new(Gate(cx)))
}

struct Fail(NodeCx, std::cell::RefCell<std::collections::HashMap<String, u64>>);

impl Node for Fail {
    /// Fails each payload as often as the node's `times` says, then passes it on.
    fn receive(&self, msg: Msg) {
        let key = msg.get("payload").to_text().to_string();
        let mut failed = self.1.borrow_mut();
        let failed = failed.entry(key).or_default();
        if *failed < self.0.config().int("times").unwrap_or(0) as u64 {
            *failed += 1;
            self.0.report().error("failed as it should", Some(&msg));
        } else {
            self.0.out().send(msg);
        }
    }
}

fn fail(cx: NodeCx) -> Result<std::rc::Rc<dyn Node>, NodeError> {
    Ok(std::rc::Rc::new(Fail(cx, std::cell::RefCell::default())))
}

/// How many messages a gate holds.
pub fn held(gate: &str) -> usize {
    HELD.lock().unwrap().iter().filter(|(node, _)| node == gate).count()
}

/// Takes the messages that a gate holds.
pub fn take(gate: &str) -> Vec<Msg> {
    let mut held = HELD.lock().unwrap();
    let (own, others) = held.drain(..).partition::<Vec<_>, _>(|(node, _)| node == gate);
    *held = others;
    own.into_iter().map(|(_, msg)| msg).collect()
}

/// Lets go of the last messages that a gate holds.
pub fn release(gate: &str, count: usize) {
    let mut held = HELD.lock().unwrap();
    for _ in 0..count {
        let last = held.iter().rposition(|(node, _)| node == gate).expect("the gate holds so many");
        held.remove(last);
    }
}

/// An mqtt-broker node.
pub fn broker(port: u16, version: u8, more: &Value) -> Value {
    let mut node = json!({"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": port.to_string(),
        "protocolVersion": version.to_string(), "keepalive": "60", "cleansession": true, "autoConnect": true});
    merge(&mut node, more);
    node
}

/// A node on the one tab.
pub fn node(id: &str, kind: &str, to: &[&str], more: &Value) -> Value {
    let mut node = json!({"id": id, "type": kind, "z": "t", "broker": "b", "wires": [to]});
    merge(&mut node, more);
    node
}

fn merge(node: &mut Value, more: &Value) {
    for (key, value) in more.as_object().into_iter().flatten() {
        node[key] = value.clone();
    }
}

/// Starts an engine with these settings and nodes.
pub async fn run(settings: Settings, nodes: Vec<Value>) -> Engine {
    run_observed(settings, nodes, TracingObserver).await
}

/// As [`run`], heard by this observer.
pub async fn run_observed(settings: Settings, nodes: Vec<Value>, observer: impl Observer + 'static) -> Engine {
    let parts = EngineParts {
        settings: Settings { workers: 2, ..settings },
        contexts: Arc::new(Contexts::default()),
        observer: Box::new(observer),
        schedule: Arc::new(Alone),
        types: TYPES.iter().copied().collect(),
    };
    let engine = Engine::start(parts).unwrap();
    let document = document(nodes);
    let report = engine.deploy(&document, Credentials::default(), DeployMode::Full).await.unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    engine
}

/// These nodes and their tab.
pub fn document(nodes: Vec<Value>) -> Document {
    let tab = json!({"id": "t", "type": "tab", "label": "t"});
    Document::from_value(Value::Array([vec![tab], nodes].concat())).unwrap()
}

/// Waits until the broker node is connected.
pub async fn connected(engine: &Engine) {
    connected_node(engine, "b").await;
}

/// Waits until the broker node with this id is connected.
pub async fn connected_node(engine: &Engine, id: &str) {
    let node = engine.shared().config_node::<MqttBroker>(id).unwrap();
    tokio::time::timeout(super::broker::LIMIT, async {
        while !node.status().0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the broker node connects");
}

/// Settings of a replica in a group.
pub fn grouped(replica: &str) -> Settings {
    Settings { group: "g".into(), replica: replica.into(), share_subscriptions: true, ..Settings::default() }
}
