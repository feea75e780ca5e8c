//! Agents over the other kinds of stores: SQLite, NATS and PostgreSQL. The rest of the tests of hosts use Redis.

use std::io::Write as _;
use std::time::Duration;

use flotilla_tests::{Collector, Hosts, StoreKind, eventually};
use serde_json::{Value, json};

use crate::hosts::publish;
use crate::rollout_flow::flow;

const ENDS: Duration = Duration::from_secs(90);

#[test]
fn agents_on_sqlite() {
    places_moves_replaces_and_refuses_a_binary(StoreKind::Sqlite);
}

#[test]
fn agents_on_nats() {
    places_moves_replaces_and_refuses_a_binary(StoreKind::Nats);
}

#[test]
fn agents_on_postgresql() {
    places_moves_replaces_and_refuses_a_binary(StoreKind::Postgres);
}

fn places_moves_replaces_and_refuses_a_binary(kind: StoreKind) {
    let mut hosts = Hosts::start_on_store(kind).unwrap();
    hosts.agent("h1", &[]).unwrap();
    hosts.agent("h2", &[]).unwrap();
    let spec = hosts.file("group.json", &json!({"name": "default", "replicas": 2})).unwrap();
    hosts.done(&["group", "add", "-f", &spec]).unwrap();
    hosts.deploy(&flow("one", "")).unwrap();
    hosts.wait_for_spread(&[("h1", 1), ("h2", 1)]).unwrap();
    let out = Collector::start(hosts.mqtt, "out", 1).unwrap();
    let sent = publish(&hosts, 100);
    // A binary of several chunks that do not shrink: each fits the store, and the agent has all of it.
    let binary = hosts.script("large", "exit 7").unwrap();
    let mut noise = 1u64;
    let bytes: Vec<u8> = (0..1_300_000)
        .map(|_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (noise >> 56) as u8
        })
        .collect();
    std::fs::OpenOptions::new().append(true).open(&binary).unwrap().write_all(&bytes).unwrap();
    let halted = hosts.run(&["upgrade", "--binary", &binary.display().to_string(), "--wait"]).unwrap();
    let text = String::from_utf8_lossy(&halted.stdout).into_owned();
    assert!(halted.status.code() == Some(4) && text.contains("exit status: 7"), "{halted:?}");
    // Moved, one after the other.
    hosts.done(&["host", "drain", "h1"]).unwrap();
    hosts.wait_for_spread(&[("h2", 2)]).unwrap();
    hosts.done(&["host", "undrain", "h1"]).unwrap();
    // And replaced, when a host dies.
    hosts.kill("h2").unwrap();
    hosts.wait_for_spread(&[("h1", 2)]).unwrap();
    eventually("all messages", ENDS, || (out.distinct() == sent).then_some(())).unwrap();
    let known: Value = serde_json::from_str(&hosts.done(&["host", "list", "--json"]).unwrap()).unwrap();
    let alive = known.as_array().unwrap().iter().filter(|host| host["alive"] == true).count();
    assert_eq!((known.as_array().unwrap().len(), alive), (2, 1), "{known:#}");
}
