//! What a group leaves at another broker when it stops, and how that is ended.

use std::process::{Command, Output};
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect, Ending};
use flotilla_tests::{Mosquitto, Part, Up, UpOptions, eventually, flotilla, free_ports, get, wait_for, write_flow};
use serde_json::{Value, json};

const ENDS: Duration = Duration::from_secs(60);
const USER: (&str, &str) = ("plant", "a secret of the plant");

/// In, out, and a node that one replica at a time consumes.
fn flow() -> Value {
    json!([
        {"id": "t", "type": "tab", "label": "kept"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5",
         "credentials": {"user": USER.0, "password": USER.1}},
        {"id": "i", "type": "mqtt in", "z": "t", "topic": "in/#", "qos": "1", "broker": "b", "wires": [["o"]]},
        {"id": "s", "type": "mqtt in", "z": "t", "topic": "one/#", "qos": "1", "broker": "b", "wires": [["o"]],
         "flotilla": {"share": "single"}},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "out", "qos": "1", "broker": "b", "wires": []}
    ])
}

fn connect(broker: &Mosquitto, id: &str) -> Client {
    let user = Some((USER.0.to_owned(), USER.1.to_owned()));
    Client::connect(broker.address, &Connect { user, ..Connect::new(5, id).persistent() }).unwrap()
}

/// Publishes to both nodes.
fn publish(broker: &Mosquitto, count: usize) {
    let mut client = connect(broker, "publisher");
    for number in 0..count {
        for topic in ["in/a", "one/a"] {
            let id = client.publish(topic, number.to_string().as_bytes(), 1, false).unwrap();
            client.confirmed(id, 1).unwrap();
        }
    }
    client.end(Ending::Disconnect).unwrap();
}

/// The ClientIDs of the sessions that a group has recorded.
pub fn recorded(up: &Up, group: &str) -> Vec<String> {
    let store = rusqlite::Connection::open(up.data().join("store.db")).unwrap();
    let prefix = format!("group/{group}/session/");
    let mut found = store.prepare("SELECT key FROM entry WHERE key LIKE ?1 AND value IS NOT NULL").unwrap();
    let keys = found.query_map([format!("{prefix}%")], |row| row.get::<_, String>(0)).unwrap();
    keys.map(|key| key.unwrap()[prefix.len()..].to_owned()).collect()
}

/// How many messages the broker has for a ClientID, and whether it knows the session. Its session stays.
fn held(broker: &Mosquitto, id: &str) -> (usize, bool) {
    let mut client = connect(broker, id);
    let mut count = 0;
    while client.message(Duration::from_millis(500)).unwrap().is_some() {
        count += 1;
    }
    let present = client.session_present;
    client.end(Ending::Disconnect).unwrap();
    (count, present)
}

/// `flotilla up --forget` with the data of a run.
fn forget(up: &Up) -> Output {
    let data = up.data();
    let args = ["up", "--forget", "--no-broker", "--data"];
    Command::new(flotilla().unwrap()).args(args).arg(data).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn up_forget_ends_what_the_last_run_left_at_a_broker() {
    let mut broker = Mosquitto::start_for(USER.0, USER.1).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow()).unwrap();
    let mut up = Up::start_beside(&file, UpOptions { replicas: 2, args: Vec::new() }, broker.address).unwrap();
    let single = "flotilla-default-b-single";
    assert!(up.stop().unwrap().success());
    let left = recorded(&up, "default");
    let [shared] = left.as_slice() else { panic!("the last replica's session is recorded, and no other: {left:?}") };
    publish(&broker, 5);
    assert_eq!(held(&broker, shared), (5, true), "the broker queues for the session of the last replica");
    assert_eq!(held(&broker, single), (5, true), "and for that of the group");

    // A broker that is not reached is named, and what is there can be ended later.
    broker.kill().unwrap();
    let output = forget(&up);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains(&format!("the MQTT session {shared} at mqtt://127.0.0.1")), "{said}");
    assert!(said.contains("was not ended"), "{said}");
    assert_eq!(recorded(&up, "default"), left);

    // It was started anew, and has forgotten what it held; the sessions are made again as the group's were.
    broker.restart().unwrap();
    for id in [shared.as_str(), single] {
        let mut client = connect(&broker, id);
        client.subscribe("in/#", 1).unwrap();
        client.end(Ending::Disconnect).unwrap();
    }
    publish(&broker, 5);
    let output = forget(&up);
    assert!(output.status.success(), "{}", text(&output));
    for id in [shared.as_str(), single] {
        assert!(
            text(&output).contains(&format!("ended the MQTT session {id} at mqtt://127.0.0.1")),
            "{}",
            text(&output)
        );
    }
    assert!(!text(&output).contains(USER.1), "no password is shown");
    assert!(recorded(&up, "default").is_empty());
    publish(&broker, 5);
    for id in [shared.as_str(), single] {
        assert_eq!(held(&broker, id), (0, false), "{id} is gone, and nothing is queued for it");
    }
}

#[test]
fn up_forget_says_when_there_is_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let run = |data: &std::path::Path| {
        let args = ["up", "--forget", "--no-broker", "--data"];
        Command::new(flotilla().unwrap()).args(args).arg(data).output().unwrap()
    };
    let output = run(&folder.path().join("none"));
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    assert!(!folder.path().join("none").exists(), "nothing is made");
    let no_flow = Command::new(flotilla().unwrap()).arg("up").output().unwrap();
    assert_eq!(no_flow.status.code(), Some(2), "a flow is needed otherwise: {}", text(&no_flow));
}

#[test]
fn group_remove_ends_what_the_group_left_at_a_broker() {
    let mut broker = Mosquitto::start_for(USER.0, USER.1).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let mut document = flow();
    document[1]["port"] = Value::from(broker.address.port().to_string());
    let file = write_flow(folder.path(), &document).unwrap();
    let nothing = write_flow(
        &{
            let other = folder.path().join("other");
            std::fs::create_dir(&other).unwrap();
            other
        },
        &json!([{"id": "t", "type": "tab", "label": "nothing"}]),
    )
    .unwrap();
    let up = Up::start(&nothing, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let spec = folder.path().join("group.json");
    let remove = || up.run(&["group", "remove", "line"]).unwrap();
    let store = format!("sqlite:{}", up.data().join("store.db").display());
    let key = std::fs::read_to_string(up.data().join("group.key")).unwrap();
    let begin = |name: &str| {
        std::fs::write(&spec, json!({"name": "line"}).to_string()).unwrap();
        assert!(up.run(&["group", "add", "-f", spec.to_str().unwrap()]).unwrap().status.success());
        let deployed = up.run(&["deploy", file.to_str().unwrap(), "--group", "line"]).unwrap();
        assert!(deployed.status.success() || deployed.status.code() == Some(6), "{}", text(&deployed));
        let args = ["replica", "--group", "line", "--id", name, "--store", &store];
        let replica = Part::start(&args, &[("FLOTILLA_GROUP_KEY", key.trim())]).unwrap();
        eventually("its session", ENDS, || (!recorded(&up, "line").is_empty()).then_some(())).unwrap();
        let refused = remove();
        assert_eq!(refused.status.code(), Some(3), "a group with a replica is not removed: {}", text(&refused));
        assert!(replica.stop().unwrap().success());
        recorded(&up, "line")
    };

    let left = begin("first");
    publish(&broker, 3);
    assert_eq!(held(&broker, &left[0]), (3, true));
    let removed = remove();
    assert!(removed.status.success(), "{}", text(&removed));
    assert!(text(&removed).contains(&format!("ended the MQTT session {} at ", left[0])), "{}", text(&removed));
    assert!(recorded(&up, "line").is_empty());
    publish(&broker, 3);
    assert_eq!(held(&broker, &left[0]), (0, false));

    let left = begin("second");
    broker.kill().unwrap();
    let removed = remove();
    assert_eq!(removed.status.code(), Some(5), "{}", text(&removed));
    assert!(text(&removed).contains(&format!("the MQTT session {} at ", left[0])), "{}", text(&removed));
    assert_eq!(recorded(&up, "line"), left, "it is remembered");
    broker.restart().unwrap();
    let again = remove();
    assert!(again.status.success(), "the group is gone, its sessions were not: {}", text(&again));
    assert!(recorded(&up, "line").is_empty());
    assert_eq!(remove().status.code(), Some(7), "there is nothing any more");
}

/// Marks the sessions of a group as being ended, as a process does that ends them; `false`: it is done.
fn mark_ending(up: &Up, group: &str, ending: bool) {
    let store = rusqlite::Connection::open(up.data().join("store.db")).unwrap();
    let key = format!("group/{group}/ending/test");
    let changed = if ending {
        store.execute("UPDATE meta SET seq = seq + 1", ()).unwrap();
        let insert = "INSERT INTO entry (key, value, version, expires) VALUES (?1, ?2, (SELECT seq FROM meta), NULL)";
        store.execute(insert, (&key, b"ending".to_vec())).unwrap()
    } else {
        store.execute("DELETE FROM entry WHERE key = ?1", (&key,)).unwrap()
    };
    assert_eq!(changed, 1);
}

#[test]
fn a_replica_takes_no_work_while_the_sessions_of_a_removed_group_with_its_name_are_being_ended() {
    let broker = Mosquitto::start_for(USER.0, USER.1).unwrap();
    let (folder, other) = (tempfile::TempDir::new().unwrap(), tempfile::TempDir::new().unwrap());
    let mut document = flow();
    document[1]["port"] = Value::from(broker.address.port().to_string());
    let file = write_flow(folder.path(), &document).unwrap();
    let nothing = write_flow(other.path(), &json!([{"id": "t", "type": "tab", "label": "nothing"}])).unwrap();
    let up = Up::start(&nothing, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let spec = folder.path().join("group.json");
    std::fs::write(&spec, json!({"name": "line"}).to_string()).unwrap();
    assert!(up.run(&["group", "add", "-f", spec.to_str().unwrap()]).unwrap().status.success());
    let deployed = up.run(&["deploy", file.to_str().unwrap(), "--group", "line"]).unwrap();
    assert!(deployed.status.success() || deployed.status.code() == Some(6), "{}", text(&deployed));
    let store = format!("sqlite:{}", up.data().join("store.db").display());
    let key = std::fs::read_to_string(up.data().join("group.key")).unwrap();
    let [ops] = free_ports().unwrap();
    let address = ops.to_string();
    let args = ["replica", "--group", "line", "--id", "line-1", "--store", &store, "--ops", &address];
    let start = || Part::start(&args, &[("FLOTILLA_GROUP_KEY", key.trim())]).unwrap();
    let waits = || {
        let is_said =
            || get(ops, "/readyz").ok().filter(|ready| ready.body.contains("sessions: ")).map(|ready| ready.status);
        assert_eq!(eventually("the replica to wait", ENDS, is_said).unwrap(), 503);
    };

    mark_ending(&up, "line", true);
    let replica = start();
    waits();
    assert!(recorded(&up, "line").is_empty(), "it has no session yet");
    assert!(replica.stop().unwrap().success(), "it is told to stop while it waits");

    let replica = start();
    waits();
    mark_ending(&up, "line", false);
    wait_for(ops, "/readyz", 200).unwrap();
    eventually("its session", ENDS, || (!recorded(&up, "line").is_empty()).then_some(())).unwrap();
    assert!(replica.stop().unwrap().success());
}
