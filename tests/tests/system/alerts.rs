//! Alerts: every kind is raised once and ends once, at a real receiver.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use flotilla_api::alert::{AlertKind, AlertRules};
use flotilla_api::group::GroupSpec;
use flotilla_tests::{
    Admin, AlertReceiver, Cluster, ClusterOptions, Mosquitto, Part, Up, UpOptions, eventually, free_ports, is_on_path,
    kill, write_flow,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);
const SECRET: &str = "a secret of this test";

fn set_rules(admin: &Admin, rules: AlertRules) {
    let spec = GroupSpec { alerts: rules, ..GroupSpec::named("default") };
    admin.ask(|client| async move { client.edit_group(&spec).await }).unwrap();
}

/// `eat` takes memory for some time, `hold` waits, `hang` keeps its worker busy, `bad` fails for good.
fn flow(version: &str) -> Value {
    let func = "if (msg.topic === 'bad') throw new Error('as told');\n\
                if (msg.topic === 'hang') { const until = Date.now() + 4000; while (Date.now() < until) {} }\n\
                if (msg.topic === 'eat') { let held = Buffer.alloc(48 << 20, 1); setTimeout(() => { held = null; }, 10000); }\n\
                if (msg.topic === 'hold') { setTimeout(() => node.done(), 8000); return; }\n\
                node.done();";
    json!([
        {"id": "tab", "type": "tab", "label": "alerts"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5"},
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": "+", "qos": "1", "datatype": "utf8", "broker": "b", "x": 1, "y": 1, "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "tab", "name": version, "func": func, "timeout": 10, "x": 2, "y": 1, "outputs": 1, "wires": [[]]},
    ])
}

fn publish(broker: SocketAddr, topic: &str) {
    let (host, port) = (broker.ip().to_string(), broker.port().to_string());
    let args = ["-h", &host, "-p", &port, "-V", "5", "-q", "1", "-t", topic, "-m", "x"];
    assert!(std::process::Command::new("mosquitto_pub").args(args).status().unwrap().success());
}

/// What an HMAC with SHA-256 of a text is, by OpenSSL.
fn hmac(text: &str) -> String {
    let mut openssl = std::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", SECRET])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    output.split_whitespace().last().unwrap().to_owned()
}

#[test]
fn every_kind_is_raised_once_and_ends() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut mosquitto = Mosquitto::start().unwrap();
    let file = write_flow(folder.path(), &flow("one")).unwrap();
    let args =
        ["--on-failure", "dead-letter", "--alert-secret", SECRET, "--memory-limit", "256"].map(str::to_owned).to_vec();
    let up = Up::start_beside(&file, UpOptions { replicas: 3, args }, mosquitto.address).unwrap();
    // Two refusals: what was not taken is sent again.
    let receiver = AlertReceiver::start(2).unwrap();
    let rules = AlertRules {
        webhook: receiver.url(),
        replica_hangs_s: 1,
        source_disconnected_s: 1,
        backlog_s: 3,
        // A replica has some 31 %.
        memory_percent: 42,
        memory_s: 0,
        ..AlertRules::default()
    };
    set_rules(&up.api(), rules);
    let tested = up.run(&["alert", "test"]).unwrap();
    assert!(!tested.status.success(), "the receiver refuses the first");

    let first = || up.replicas().remove(0);
    let begun = first().beat;
    // A replica counts as silent only after it has given two signs of life.
    eventually("some signs of life", SOON, || (first().beat > begun + 3).then_some(())).unwrap();
    kill(first().pid).unwrap();
    receiver.wait(AlertKind::ReplicaCrashed, false).unwrap();
    assert_eq!(receiver.refused(), 2);
    receiver.wait(AlertKind::ReplicaCrashed, true).unwrap();
    up.wait_for_ready(3).unwrap();

    publish(up.mqtt, "bad");
    receiver.wait(AlertKind::DeadLetters, false).unwrap();
    assert!(up.run(&["deadletter", "discard", "--all"]).unwrap().status.success());
    receiver.wait(AlertKind::DeadLetters, true).unwrap();

    publish(up.mqtt, "hang");
    receiver.wait(AlertKind::ReplicaHangs, false).unwrap();
    receiver.wait(AlertKind::ReplicaHangs, true).unwrap();

    publish(up.mqtt, "hold");
    receiver.wait(AlertKind::Backlog, false).unwrap();
    receiver.wait(AlertKind::Backlog, true).unwrap();

    assert!(up.replicas().iter().all(|replica| replica.memory_limit == 256 << 20));
    publish(up.mqtt, "eat");
    receiver.wait(AlertKind::Memory, false).unwrap();
    receiver.wait(AlertKind::Memory, true).unwrap();

    let mut bad = flow("two");
    bad[3]["func"] = json!("this is no JavaScript");
    up.point(&mut bad);
    up.deploy(&bad, &json!({"probation_ms": 500})).unwrap();
    receiver.wait(AlertKind::RolloutHalted, false).unwrap();
    up.rollout_ended(SOON).unwrap();
    let mut good = flow("three");
    up.point(&mut good);
    up.deploy(&good, &json!({"probation_ms": 500})).unwrap();
    receiver.wait(AlertKind::RolloutHalted, true).unwrap();
    up.rollout_ended(SOON).unwrap();

    mosquitto.kill().unwrap();
    receiver.wait(AlertKind::SourceDisconnected, false).unwrap();
    mosquitto.restart().unwrap();
    receiver.wait(AlertKind::SourceDisconnected, true).unwrap();

    let (head, body) = receiver.posts()[0].clone();
    let signature = head.lines().find_map(|line| line.strip_prefix("flotilla-signature: ")).unwrap().to_owned();
    let (time, sum) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).unwrap();
    if is_on_path("openssl") {
        assert_eq!(hmac(&format!("{time}.{body}")), sum);
    } else {
        eprintln!(
            "SKIPPED alerts::every_kind_is_raised_once_and_ends: openssl is not here (package openssl): the sum of the signature"
        );
    }

    let listed = String::from_utf8(up.run(&["alert", "list"]).unwrap().stdout).unwrap();
    assert!(listed.starts_with("nothing is wrong") && listed.contains("replica-crashed"), "{listed}");
    assert!(up.run(&["alert", "test"]).unwrap().status.success());
    let checked = receiver.check(&[
        AlertKind::ReplicaCrashed,
        AlertKind::ReplicaHangs,
        AlertKind::RolloutHalted,
        AlertKind::SourceDisconnected,
        AlertKind::Backlog,
        AlertKind::DeadLetters,
        AlertKind::Memory,
    ]);
    checked.unwrap();
}

#[test]
fn a_store_that_is_away_is_one_alert_of_two_gateways() {
    let nothing = json!([{"id": "tab", "type": "tab", "label": "nothing"}]);
    let replicas = vec![Vec::new(); 2];
    let mut cluster = Cluster::start(&nothing, ClusterOptions { replicas, args: Vec::new() }).unwrap();
    cluster.admin.wait_for_ready(2).unwrap();
    let ([http, admin], folder) = (free_ports().unwrap(), tempfile::TempDir::new().unwrap());
    let (http, at, store) = (http.to_string(), admin.to_string(), cluster.redis.url());
    let logs = folder.path().display().to_string();
    let second = ["gateway", "--http", &http, "--admin", &at, "--store", &store, "--logs", &logs];
    let _second = Part::start(&second, &[]).unwrap();
    Admin { address: admin, token: None }.wait_for_ready(2).unwrap();
    let receiver = AlertReceiver::start(0).unwrap();
    set_rules(&cluster.admin, AlertRules { webhook: receiver.url(), store_away_s: 2, ..AlertRules::default() });
    // Both gateways have read the rules, and one leads, when an alert has come.
    let first = || cluster.admin.replicas().remove(0);
    let begun = first().beat;
    eventually("some signs of life", SOON, || (first().beat > begun + 3).then_some(())).unwrap();
    kill(first().pid).unwrap();
    receiver.wait(AlertKind::ReplicaCrashed, true).unwrap();
    cluster.redis.kill().unwrap();
    receiver.wait(AlertKind::StoreAway, false).unwrap();
    cluster.redis.restart().unwrap();
    receiver.wait(AlertKind::StoreAway, true).unwrap();
    receiver.check(&[AlertKind::StoreAway, AlertKind::ReplicaCrashed]).unwrap();
    let away = receiver.alerts().iter().filter(|alert| alert.kind == AlertKind::StoreAway).count();
    assert_eq!(away, 2, "raised once, ended once");
}
