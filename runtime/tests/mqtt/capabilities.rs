//! What a broker does not have is said: shared subscriptions, MQTT 5, an answer.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use flotilla_engine::observe::{Level, LogEntry, Observer};
use flotilla_engine::settings::Settings;
use flotilla_value::Value;
use serde_json::json;

use super::broker::until;
use super::fake::{Fake, Lacks};
use super::flow::{broker, connected, grouped, node, run_observed};

/// Log lines with their level and node, and the last status of each node.
#[derive(Clone, Default)]
struct Heard {
    lines: Arc<Mutex<Vec<(Level, String, String)>>>,
    statuses: Arc<Mutex<std::collections::HashMap<String, String>>>,
}

impl Observer for Heard {
    fn log(&self, entry: &LogEntry) {
        let line = (entry.level, entry.id.to_string(), entry.msg.to_text().to_string());
        self.lines.lock().unwrap().push(line);
    }

    fn status(&self, node: &str, status: &Value) {
        let text = format!("{} {}", status.get("fill").to_text(), status.get("text").to_text());
        self.statuses.lock().unwrap().insert(node.to_owned(), text);
    }
}

impl Heard {
    fn has(&self, level: Level, node: &str, parts: &[&str]) -> bool {
        let all = |text: &str| parts.iter().all(|part| text.contains(part));
        self.lines.lock().unwrap().iter().any(|(l, n, text)| *l == level && n == node && all(text))
    }

    fn status(&self, node: &str) -> String {
        self.statuses.lock().unwrap().get(node).cloned().unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_shared_subscriptions_is_an_error_of_the_nodes_that_need_them() {
    let fake = Fake::start(Lacks::Shared);
    let heard = Heard::default();
    let flow = vec![
        broker(fake.port, 4, &json!({})),
        node("in", "mqtt in", &[], &json!({"topic": "in", "qos": "1"})),
        node("each", "mqtt in", &[], &json!({"topic": "each", "qos": "1", "ha": "each"})),
    ];
    let engine = run_observed(grouped("r1"), flow, heard.clone()).await;
    connected(&engine).await;
    until("the node says so", || heard.has(Level::Error, "in", &["shared subscriptions", "\"ha\": \"each\""]));
    until("its status says so", || heard.status("in") == "red no shared subscriptions");
    until("the other is connected", || heard.status("each") == "green connected");
    assert_eq!(*fake.filters.lock().unwrap(), ["each"]);
    assert!(!heard.has(Level::Error, "each", &[]));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_at_3_1_1_may_not_know_shared_subscriptions() {
    let fake = Fake::start(Lacks::Mqtt5);
    let heard = Heard::default();
    let flow = vec![
        broker(fake.port, 5, &json!({})),
        node("in", "mqtt in", &[], &json!({"topic": "in", "qos": "1", "nl": true})),
    ];
    let engine = run_observed(grouped("r1"), flow, heard.clone()).await;
    connected(&engine).await;
    until("it is warned of", || heard.has(Level::Warn, "b", &["$share", "3.1.1", "\"ha\": \"each\""]));
    until("No Local is warned of", || heard.has(Level::Warn, "b", &["published by this client"]));
    assert_eq!(*fake.filters.lock().unwrap(), ["$share/g/in"]);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_failure_to_connect_is_a_warning_and_the_next_ones_are_counted() {
    // What closes each connection at once.
    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closing.local_addr().unwrap().port();
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = attempts.clone();
    std::thread::spawn(move || {
        for stream in closing.incoming() {
            drop(stream);
            counted.fetch_add(1, Ordering::AcqRel);
        }
    });
    let heard = Heard::default();
    let flow = vec![broker(port, 4, &json!({})), node("in", "mqtt in", &[], &json!({"topic": "in", "qos": "1"}))];
    let node_red = json!({"mqttReconnectTime": 100}).as_object().unwrap().clone();
    let engine = run_observed(Settings { node_red, ..Settings::default() }, flow, heard.clone()).await;
    until("it has failed several times", || attempts.load(Ordering::Acquire) >= 5);
    let lines = heard.lines.lock().unwrap().clone();
    let failures = lines.iter().filter(|(_, _, text)| text.contains("failed"));
    assert_eq!(failures.map(|(level, ..)| *level).collect::<Vec<_>>(), [Level::Warn], "{lines:?}");
    engine.shutdown().await;
}
