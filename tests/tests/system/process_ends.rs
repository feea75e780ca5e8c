//! A replica's process ends: what it held goes on at once, since `up` knows of the end.

use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect};
use flotilla_tests::{Collector, Up, UpOptions, eventually, flotilla, kill, write_flow};
use serde_json::{Value, json};

use crate::rollout_flow::flow;

/// Messages that the group's members hold, and how many came back from members that ended.
fn held_and_redelivered(up: &Up) -> (u64, u64) {
    let mut command = std::process::Command::new(flotilla().unwrap());
    let asked = command.args(["broker", "status", "--json", "--ops", &up.admin.to_string()]).output().unwrap();
    let status: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let group = &status["groups"][0];
    (group["in_flight"].as_u64().unwrap_or(0), group["redelivered"].as_u64().unwrap_or(0))
}

#[test]
fn what_a_killed_replica_held_goes_on_before_the_broker_would_think_so() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut nodes = flow("x", "");
    let list = nodes.as_array_mut().unwrap();
    for node in &mut *list {
        if node["id"] == "i1" {
            node["wires"] = json!([["d1"]]);
        }
    }
    list.push(json!({"id": "d1", "type": "delay", "z": "t1", "name": "", "pauseType": "delay", "timeout": "3",
        "timeoutUnits": "seconds", "x": 150, "y": 100, "wires": [["f1"]]}));
    let file = write_flow(folder.path(), &nodes).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 3, args: Vec::new() }).unwrap();
    let outputs = Collector::start(up.mqtt, "out", 1).unwrap();
    let mut publisher = Client::connect(up.mqtt, &Connect::new(5, "p")).unwrap();
    for number in 0..30 {
        let pkid = publisher.publish("in", format!("n{number}").as_bytes(), 1, false).unwrap();
        publisher.confirmed(pkid, 1).unwrap();
    }
    assert_eq!(held_and_redelivered(&up), (30, 0), "each replica delays its share for 3 s");
    let dies = up.replicas().into_iter().next().unwrap();
    kill(dies.pid).unwrap();
    // By itself the broker waits 5 s for the return of a connection that broke off.
    let back = || (held_and_redelivered(&up).1 == 10).then_some(());
    eventually("what the killed replica held", Duration::from_secs(4), back).unwrap();
    eventually("each message", Duration::from_secs(30), || (outputs.distinct() == 30).then_some(())).unwrap();
}
