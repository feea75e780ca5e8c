//! Node types that Flotilla does not have: refused with everything that one needs to know, or allowed, and then visible.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use flotilla_tests::{Up, UpOptions, eventually, flotilla, get, write_flow};
use serde_json::{Value, json};

use crate::rollout_flow::flow;

const DEADLINE: Duration = Duration::from_secs(60);

/// A flow whose HTTP answer comes all the same, and two nodes of types that are not there.
fn document(mark: &str) -> Value {
    let mut document = flow(mark, "");
    let nodes = document.as_array_mut().unwrap();
    nodes.iter_mut().find(|node| node["id"] == "h1").unwrap()["wires"] = json!([["f2", "u1"]]);
    nodes.extend([
        json!({"id": "u1", "type": "modbus-read", "z": "t1", "name": "coil", "x": 1, "y": 1, "wires": [[]]}),
        json!({"id": "u2", "type": "no-such-node", "z": "t1", "name": "second", "x": 1, "y": 1, "wires": [[]]}),
    ]);
    document
}

fn names_everything(ended: &Output) {
    let text = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "{text}");
    for part in ["modbus-read", "coil", "Main", "node-red-contrib-modbus", "no-such-node", "second", "--allow-unknown"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn run(args: &[&str], folder: &Path) -> Output {
    Command::new(flotilla().unwrap()).args(args).current_dir(folder).output().unwrap()
}

#[test]
fn up_and_replica_refuse_them_before_anything_starts() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &document("one")).unwrap();
    let file = file.to_str().unwrap();
    names_everything(&run(&["up", file], folder.path()));
    names_everything(&run(&["replica", file], folder.path()));
    assert!(!folder.path().join(".flotilla").exists(), "nothing was made");
}

#[test]
fn a_deploy_refuses_them_and_allows_them_when_asked_to() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one", "")).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let mut two = document("two");
    up.point(&mut two);
    let file = write_flow(folder.path(), &two).unwrap();
    let file = file.to_str().unwrap();
    let before = up.desired();
    let refused = up.run(&["deploy", file, "--wait"]).unwrap();
    assert_eq!(refused.status.code(), Some(3));
    names_everything(&refused);
    assert_eq!(up.desired(), before, "nothing changed");

    let done = up.run(&["deploy", file, "--wait", "--probation", "0.5", "--allow-unknown"]).unwrap();
    assert!(done.status.success(), "{}{}", String::from_utf8_lossy(&done.stderr), up.log());
    for _ in 0..3 {
        assert_eq!(get(up.http, "/version").unwrap().body, "two", "the rest of the flow runs");
    }
    let replicas: Value = serde_json::from_str(&up.api().get("/api/v1/status").unwrap().body).unwrap();
    let ops = replicas[0]["ops"].as_str().unwrap().parse().unwrap();
    let counted = r#"flotilla_unknown_node_messages_total{node="u1",type="modbus-read"} 3"#;
    eventually("the messages to be counted", DEADLINE, || {
        get(ops, "/metrics").ok().filter(|answer| answer.body.contains(counted))
    })
    .unwrap();
    let log = up.log();
    assert_eq!(log.matches("this node swallows messages").count(), 1, "told once per node: {log}");
}
