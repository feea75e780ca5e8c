//! Messages that fail for good, that kill their process, or that fail because the store is away.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use flotilla_tests::{Cluster, ClusterOptions, Collector, Mosquitto, Up, UpOptions, eventually, write_flow};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);
/// Three deaths alone, after two in company; a place whose replicas die waits longer each time.
const DEATHS: Duration = Duration::from_secs(150);

fn publish(broker: SocketAddr, topic: &str, payload: &str) {
    let status = Command::new("mosquitto_pub")
        .args(["-h", &broker.ip().to_string(), "-p", &broker.port().to_string(), "-V", "5", "-q", "1"])
        .args(["-t", topic, "-m", payload])
        .status()
        .unwrap();
    assert!(status.success());
}

/// `in` goes through `code` to `out`; what comes on `poison` kills the replica that has it.
fn flow(code: &str) -> Value {
    json!([
        {"id": "tab", "type": "tab", "label": "letters"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5"},
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": "in", "qos": "1", "datatype": "utf8", "broker": "b", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "tab", "func": code, "outputs": 1, "wires": [["out"]]},
        {"id": "out", "type": "mqtt out", "z": "tab", "topic": "out", "qos": "1", "broker": "b", "wires": []},
        {"id": "poison", "type": "mqtt in", "z": "tab", "topic": "poison", "qos": "1", "datatype": "utf8", "broker": "b", "wires": [["kill"]]},
        {"id": "kill", "type": "exec", "z": "tab", "command": "kill -9 $PPID", "addpay": "", "oldrc": false, "wires": [[], [], []]},
    ])
}

fn up(code: &str, args: &[&str]) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow(code)).unwrap();
    Up::start(&file, UpOptions { replicas: 2, args: args.iter().map(|arg| (*arg).to_owned()).collect() }).unwrap()
}

fn letters(up: &Up) -> Vec<Value> {
    let output = up.run(&["deadletter", "list", "--json"]).unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn one_letter(up: &Up, limit: Duration) -> Value {
    eventually("a dead letter", limit, || letters(up).into_iter().next()).unwrap()
}

#[test]
fn a_dead_letter_is_kept_sealed_shown_and_run_again() {
    let code =
        "if (msg.payload.length === 11 && !global.get('mended', 'shared')) throw new Error('not yet'); return msg;";
    let up = up(code, &["--on-failure", "retry", "--max-retries", "2", "--retry-delay", "0.05"]);
    let (collector, topic) =
        (Collector::start(up.mqtt, "out", 1).unwrap(), Collector::start(up.mqtt, "flotilla/dead-letter/#", 1).unwrap());
    publish(up.mqtt, "in", "secret-4711");
    publish(up.mqtt, "in", "good");
    let letter = one_letter(&up, SOON);
    assert_eq!((&letter["topic"], &letter["node"]), (&json!("in"), &json!("f")));
    assert_eq!((&letter["attempts"], &letter["replays"]), (&json!(3), &json!(0)), "{letter}");
    assert!(letter["error"].as_str().unwrap().contains("not yet"), "{letter}");
    eventually("the good one", SOON, || (collector.distinct() == 1).then_some(())).unwrap();
    eventually("the topic", SOON, || topic.counts().contains_key("secret-4711").then_some(())).unwrap();
    // Nobody reads it without the group's key.
    for name in ["store.db", "store.db-wal"] {
        let bytes = std::fs::read(up.data().join(name)).unwrap_or_default();
        assert!(!bytes.windows(11).any(|part| part == b"secret-4711"), "{name}");
        assert!(!bytes.windows(12).any(|part| part == b"c2VjcmV0LTQ3"), "{name}: base64");
    }
    let id = letter["id"].to_string();
    let shown = up.run(&["deadletter", "show", &id]).unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("secret-4711") && text.contains("not yet"), "{text}");
    let again = up.run(&["deadletter", "replay", &id]).unwrap();
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert_eq!(letters(&up)[0]["replays"], 1);
    assert!(up.run(&["context", "set", "global/mended", "true"]).unwrap().status.success());
    let again = up.run(&["deadletter", "replay", "--all"]).unwrap();
    assert!(again.status.success(), "{again:?}");
    assert!(letters(&up).is_empty());
    eventually("the mended one", SOON, || collector.counts().contains_key("secret-4711").then_some(())).unwrap();
    assert_eq!(up.run(&["deadletter", "show", &id]).unwrap().status.code(), Some(7), "it is gone");
    let metrics = flotilla_tests::get(up.admin, "/metrics").unwrap().body;
    assert!(metrics.contains("flotilla_dead_letters_total{"), "{metrics}");
}

#[test]
fn a_dead_letter_is_edited_and_run_again_and_others_go_by_filter() {
    let code = "if (msg.payload !== 'right') throw new Error('not ' + msg.payload); return msg;";
    let up = up(code, &["--on-failure", "dead-letter"]);
    let collector = Collector::start(up.mqtt, "out", 1).unwrap();
    for payload in ["wrong", "bad", "bad"] {
        publish(up.mqtt, "in", payload);
    }
    let all =
        eventually("three dead letters", SOON, || Some(letters(&up)).filter(|letters| letters.len() == 3)).unwrap();
    let is_wrong = |letter: &&Value| letter["error"].as_str().is_some_and(|error| error.contains("not wrong"));
    let id = all.iter().find(is_wrong).unwrap()["id"].to_string();
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("payload");
    std::fs::write(&file, "right").unwrap();
    let edited = up.run(&["deadletter", "edit", &id, "--payload", &file.display().to_string()]).unwrap();
    assert!(edited.status.success(), "{edited:?}");
    let again = up.run(&["deadletter", "replay", &id]).unwrap();
    assert!(again.status.success(), "{again:?}");
    eventually("the edited one", SOON, || (collector.counts().get("right") == Some(&1)).then_some(())).unwrap();
    assert!(up.run(&["deadletter", "discard", "--error", "not bad", "--topic", "i#"]).unwrap().status.success());
    assert!(letters(&up).is_empty());
    let actions: Vec<_> =
        up.audit().iter().map(|entry| entry["action"].as_str().unwrap_or_default().to_owned()).collect();
    let count = |wanted: &str| actions.iter().filter(|action| *action == wanted).count();
    assert_eq!([count("deadletter-edit"), count("deadletter-replay"), count("deadletter-discard")], [1, 1, 2]);
}

#[test]
fn a_dead_letter_whose_flow_does_not_end_holds_up_no_other() {
    let code = "if (!global.get('mended', 'shared')) throw new Error('not ' + msg.payload);
                if (msg.payload === 'hangs') await new Promise(resolve => setTimeout(resolve, 1e8));
                return msg;";
    let up = up(code, &["--on-failure", "dead-letter"]);
    let collector = Collector::start(up.mqtt, "out", 1).unwrap();
    // More than there are replicas.
    for payload in ["hangs", "hangs", "hangs", "fine"] {
        publish(up.mqtt, "in", payload);
    }
    let all =
        eventually("four dead letters", SOON, || Some(letters(&up)).filter(|letters| letters.len() == 4)).unwrap();
    assert!(up.run(&["context", "set", "global/mended", "true"]).unwrap().status.success());
    let (fine, hang): (Vec<_>, Vec<_>) =
        all.iter().partition(|letter| letter["error"].as_str().is_some_and(|error| error.contains("not fine")));
    for letter in hang.into_iter().chain(fine) {
        let path = format!("/api/v1/groups/default/deadletters/{}/replay", letter["id"]);
        let answer = up.api().request("POST", &path, "Content-Type: application/json\r\n", "{}").unwrap();
        assert!(answer.status < 300, "{}", answer.body);
    }
    eventually("the one that ends", SOON, || (collector.counts().get("fine") == Some(&1)).then_some(())).unwrap();
    eventually("it to leave the box", SOON, || (letters(&up).len() == 3).then_some(())).unwrap();
}

/// `in` is prepared, which is counted on `prepared`, and then handled.
fn two_steps() -> Value {
    let prepare = "msg.order = {name: msg.payload.toUpperCase(), raw: Buffer.from(msg.payload)};\nmsg.topic = 'prepared';\nreturn [msg, {topic: 'prepared', payload: msg.payload}];";
    let handle = "if (msg.order.name !== 'RIGHT') throw new Error('not ' + msg.order.name);\nmsg.payload = msg.order.name + ' ' + Buffer.isBuffer(msg.order.raw) + ' ' + msg._msgid;\nreturn msg;";
    json!([
        {"id": "tab", "type": "tab", "label": "letters"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5"},
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": "in", "qos": "1", "datatype": "utf8", "broker": "b", "wires": [["p"]]},
        {"id": "p", "type": "function", "z": "tab", "func": prepare, "outputs": 2, "wires": [["h"], ["seen"]]},
        {"id": "seen", "type": "mqtt out", "z": "tab", "topic": "prepared", "qos": "1", "broker": "b", "wires": []},
        {"id": "h", "type": "function", "z": "tab", "func": handle, "outputs": 1, "wires": [["out"]]},
        {"id": "out", "type": "mqtt out", "z": "tab", "topic": "out", "qos": "1", "broker": "b", "wires": []},
    ])
}

#[test]
fn a_message_enters_the_node_that_failed_and_none_before_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let flow = write_flow(folder.path(), &two_steps()).unwrap();
    let args = ["--on-failure", "dead-letter"].map(str::to_owned).to_vec();
    let up = Up::start(&flow, UpOptions { replicas: 2, args }).unwrap();
    let (out, prepared) =
        (Collector::start(up.mqtt, "out", 1).unwrap(), Collector::start(up.mqtt, "prepared", 1).unwrap());
    publish(up.mqtt, "in", "wrong");
    let letter = one_letter(&up, SOON);
    assert_eq!((&letter["node"], &letter["topic"]), (&json!("h"), &json!("in")));
    let id = letter["id"].to_string();
    eventually("it was prepared", SOON, || (prepared.counts().get("wrong") == Some(&1)).then_some(())).unwrap();
    let again = up.run(&["deadletter", "replay", &id, "--at-failure"]).unwrap();
    assert_eq!(again.status.code(), Some(1), "it is as wrong as before: {again:?}");
    let shown =
        || serde_json::from_slice::<Value>(&up.run(&["deadletter", "show", &id, "--json"]).unwrap().stdout).unwrap();
    let kept = shown();
    let steps: Vec<_> = kept["trail"]["steps"].as_array().unwrap().iter().map(|step| &step["node"]).collect();
    assert_eq!((steps, &kept["trail"]["topic"]), (vec![&json!("h")], &json!("in")), "{kept:#}");
    let file = folder.path().join("message");
    std::fs::write(&file, "[]").unwrap();
    let path = file.display().to_string();
    let edit = ["deadletter", "edit", &id, "--at-failure", "--payload", &path];
    assert!(!up.run(&edit).unwrap().status.success(), "no object");
    let mut message = kept["message"].clone();
    message["order"]["name"] = json!("RIGHT");
    std::fs::write(&file, message.to_string()).unwrap();
    assert!(up.run(&edit).unwrap().status.success());
    let again = up.run(&["deadletter", "replay", &id, "--at-failure"]).unwrap();
    assert!(again.status.success(), "{again:?}");
    assert!(letters(&up).is_empty());
    let wanted = format!("RIGHT true {}", message["_msgid"].as_str().unwrap());
    eventually("the answer", SOON, || (out.counts().get(&wanted) == Some(&1)).then_some(())).unwrap();
    assert_eq!((out.counts().len(), prepared.counts().get("wrong")), (1, Some(&1)), "once, and nothing before it");
    let audit = up.audit();
    let why = |entry: &&Value| entry["action"] == "deadletter-replay" && entry["why"].to_string().contains("at node h");
    assert_eq!(audit.iter().filter(why).count(), 2, "{audit:#?}");
}

#[test]
fn a_message_that_kills_its_process_is_a_dead_letter_and_costs_no_other() {
    costs_no_other(&up("return msg;", &[]));
}

#[test]
fn nor_on_a_broker_that_does_not_redispatch() {
    let mosquitto = Mosquitto::start().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("return msg;")).unwrap();
    let options = UpOptions { replicas: 2, args: vec!["--lease".to_owned(), "2".to_owned()] };
    costs_no_other(&Up::start_beside(&file, options, mosquitto.address).unwrap());
}

/// One message kills each replica that has it, beside 20 that are good.
fn costs_no_other(up: &Up) {
    let collector = Collector::start(up.mqtt, "out", 1).unwrap();
    publish(up.mqtt, "poison", "deadly");
    for number in 0..20 {
        publish(up.mqtt, "in", &number.to_string());
    }
    let letter = one_letter(up, DEATHS);
    assert_eq!((&letter["topic"], &letter["cause"]), (&json!("poison"), &json!("died")), "{letter}");
    eventually("all others", SOON, || (collector.distinct() == 20).then_some(())).unwrap();
    up.run(&["deadletter", "discard", &letter["id"].to_string()]).unwrap();
    assert!(letters(up).is_empty());
    eventually("the group to be whole", SOON, || (up.ready() == 2).then_some(())).unwrap();
}

#[test]
fn what_fails_because_the_store_is_away_is_not_acknowledged() {
    let code = "flow.set('last', msg.payload, 'shared'); return msg;";
    let options = ClusterOptions { replicas: vec![Vec::new(), Vec::new()], args: Vec::new() };
    let mut cluster = Cluster::start(&flow(code), options).unwrap();
    cluster.admin.wait_for_ready(2).unwrap();
    let collector = Collector::start(cluster.mqtt, "out", 1).unwrap();
    publish(cluster.mqtt, "in", "before");
    eventually("the first", SOON, || (collector.distinct() == 1).then_some(())).unwrap();
    cluster.redis.kill().unwrap();
    for number in 0..20 {
        publish(cluster.mqtt, "in", &number.to_string());
    }
    // They fail meanwhile; a length of time is the fault itself here.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(collector.distinct(), 1, "nothing goes on without the store");
    cluster.redis.restart().unwrap();
    eventually("all of them", SOON, || (collector.distinct() == 21).then_some(())).unwrap();
}
