//! A group hears what is for it and nothing else: as its own user at the embedded broker, and on a broker with users.

use std::collections::HashMap;
use std::net::SocketAddr;

use flotilla_broker::hash_password;
use flotilla_tests::mqtt::{Client, Connect, TestBroker};
use flotilla_tests::{Collector, Up, UpOptions, eventually, write_flow};
use serde_json::{Value, json};

use super::kit::{ENDS, client, flow, publish};

/// Sends what comes on `GROUP/send` to the box of another project, and says what comes into its own.
fn nodes(group: &str, to: &str) -> Value {
    json!([
        {"id": "s", "type": "mqtt in", "topic": format!("{group}/send"), "qos": "1", "broker": "b", "wires": [["so"]]},
        {"id": "so", "type": "project link out", "mode": "link", "broadcast": false, "project": to, "topic": "box", "wires": []},
        {"id": "i", "type": "project link in", "project": "", "broadcast": false, "topic": "box", "wires": [["f"]]},
        {"id": "f", "type": "function", "func": format!("return {{payload: '{group} ' + msg.payload}};"), "outputs": 1, "wires": [["o"]]},
        {"id": "o", "type": "mqtt out", "topic": "heard", "qos": "1", "broker": "b", "wires": []}
    ])
}

fn start(group: &str, to: &str, args: &[&str], broker: Option<SocketAddr>) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let mut document = flow(&nodes(group, to));
    // Users of that broker need a name for all that they do there.
    document[1]["credentials"] = json!({"user": "tester", "password": "pw-tester"});
    let file = write_flow(folder.path(), &document).unwrap();
    let args = ["--group", group].iter().chain(args).map(|arg| (*arg).to_owned()).collect();
    let options = UpOptions { replicas: 2, args };
    match broker {
        Some(broker) => Up::start_beside(&file, options, broker).unwrap(),
        None => Up::start(&file, options).unwrap(),
    }
}

/// What a client may do that connects as a group: the code of each SUBACK and PUBREC.
fn codes(as_group: &mut Client) -> HashMap<&'static str, u8> {
    let mut codes = HashMap::new();
    for filter in [
        "ff/v1/flotilla/p/red/in/#",
        "ff/v1/flotilla/p/red/res-1/box",
        "ff/v1/flotilla/p/+/out/news",
        "ff/v1/flotilla/p/blue/in/box",
        "ff/v1/flotilla/p/+/in/box",
        "ff/v1/flotilla/p/blue/res-1/box",
        "ff/v1/flotilla/p/+/+/#",
        "$share/spy/ff/v1/flotilla/p/blue/in/box",
    ] {
        codes.insert(filter, as_group.subscribe(filter, 2).unwrap());
    }
    for topic in ["ff/v1/flotilla/p/blue/in/x", "ff/v1/flotilla/p/blue/res-9/x", "ff/v1/flotilla/p/blue/out/x", "other"]
    {
        let id = as_group.publish(topic, b"{}", 2, false).unwrap();
        codes.insert(topic, as_group.confirmed(id, 2).unwrap());
    }
    codes
}

fn is_held_to_its_rights(as_group: &mut Client) {
    let codes = codes(as_group);
    let refused = |name: &str| codes[name] >= 0x80;
    for allowed in [
        "ff/v1/flotilla/p/red/in/#",
        "ff/v1/flotilla/p/red/res-1/box",
        "ff/v1/flotilla/p/+/out/news",
        "ff/v1/flotilla/p/blue/in/x",
        "ff/v1/flotilla/p/blue/res-9/x",
    ] {
        assert!(!refused(allowed), "{allowed}: {codes:02x?}");
    }
    for forbidden in [
        "ff/v1/flotilla/p/blue/in/box",
        "ff/v1/flotilla/p/+/in/box",
        "ff/v1/flotilla/p/blue/res-1/box",
        "ff/v1/flotilla/p/+/+/#",
        "$share/spy/ff/v1/flotilla/p/blue/in/box",
        "ff/v1/flotilla/p/blue/out/x",
        "other",
    ] {
        assert!(refused(forbidden), "{forbidden}: {codes:02x?}");
    }
}

fn connect_as(broker: SocketAddr, user: &str, password: &str) -> Client {
    // A session is its user's: each has a ClientID of its own.
    let id = format!("as-{user}");
    let user = Some((user.to_owned(), password.to_owned()));
    Client::connect(broker, &Connect { user, ..Connect::new(5, &id) }).unwrap()
}

#[test]
fn the_group_is_a_user_of_the_embedded_broker_that_hears_what_is_for_it() {
    let up = start("red", "red", &[], None);
    let collector = Collector::start(up.mqtt, "heard", 1).unwrap();
    publish(&mut client(up.mqtt, "sender"), "red/send", "self");
    eventually("a message to itself", ENDS, || (collector.counts().get("red self") == Some(&1)).then_some(())).unwrap();
    // A replica is told in its environment, which nobody else can read.
    let replica = up.replicas().remove(0).pid;
    let environment = std::fs::read_to_string(format!("/proc/{replica}/environ")).unwrap();
    let url = environment.split('\0').find_map(|var| var.strip_prefix("FLOTILLA_PROJECT_BROKER=")).unwrap();
    let (user, password) = url.strip_prefix("mqtt://").unwrap().split_once('@').unwrap().0.split_once(':').unwrap();
    is_held_to_its_rights(&mut connect_as(up.mqtt, user, password));
    let wrong = Connect { user: Some((user.to_owned(), "wrong".to_owned())), ..Connect::new(5, "wrong") };
    assert_eq!(Client::try_connect(up.mqtt, &wrong).unwrap().1, 0x86);
    let arguments = std::fs::read_to_string(format!("/proc/{replica}/cmdline")).unwrap();
    assert!(!arguments.contains(password) && !up.output().contains(password) && !up.log().contains(password));
}

#[test]
fn groups_of_two_stores_meet_on_a_broker_with_users() {
    let folder = tempfile::TempDir::new().unwrap();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/project-links.md")).unwrap();
    // The lines of the documentation, and what the flows of this test do besides.
    let lines: String = page.lines().filter(|line| line.starts_with("* ")).map(|line| format!("{line}\n")).collect();
    let acl = folder.path().join("acl");
    std::fs::write(&acl, lines + "tester both #\n").unwrap();
    let users = folder.path().join("users");
    let hashed = |user: &str| format!("{user}:{}\n", hash_password(&format!("pw-{user}")).unwrap());
    std::fs::write(&users, ["red", "blue", "tester"].map(hashed).concat()).unwrap();
    let broker = TestBroker::start(|config| (config.users, config.acl) = (Some(users), Some(acl)));
    let at = broker.address();
    let url = |group: &str| format!("mqtt://{group}:pw-{group}@{at}");
    let (red, blue) = (url("red"), url("blue"));
    let _red = start("red", "blue", &["--project-broker", &red], Some(at));
    let _blue = start("blue", "red", &["--project-broker", &blue], Some(at));
    let mut tester = connect_as(at, "tester", "pw-tester");
    tester.subscribe("heard", 1).unwrap();
    for (group, to) in [("red", "blue"), ("blue", "red")] {
        let id = tester.publish(&format!("{group}/send"), group.as_bytes(), 1, false).unwrap();
        tester.confirmed(id, 1).unwrap();
        let heard = tester.message(ENDS).unwrap().expect("what the other group heard");
        tester.accept(&heard).unwrap();
        assert_eq!(String::from_utf8(heard.payload).unwrap(), format!("{to} {group}"));
    }
    is_held_to_its_rights(&mut connect_as(at, "red", "pw-red"));
}
