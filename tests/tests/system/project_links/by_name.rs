//! link out and link call nodes that lead to links of another group, by name.

use flotilla_tests::mqtt::TestBroker;
use flotilla_tests::{Collector, eventually};
use serde_json::{Value, json};

use super::kit::{ENDS, client, group, publish};

const MESSAGES: usize = 20;

fn function(id: &str, code: &str, to: &str) -> Value {
    json!({"id": id, "type": "function", "func": code, "outputs": 1, "wires": [[to]]})
}

fn asked(id: &str, topic: &str, to: &str) -> Value {
    json!({"id": id, "type": "mqtt in", "topic": topic, "qos": "1", "broker": "b", "wires": [[to]]})
}

/// Sends and calls by name; what it sends goes to a link of its own as well.
fn near() -> Value {
    json!([
        asked("s", "send/+", "o"),
        {"id": "o", "type": "link out", "name": "", "mode": "link", "links": ["group:far/box", "li"], "wires": []},
        {"id": "li", "type": "link in", "name": "", "links": [], "wires": [["here"]]},
        function("here", "return {payload: 'here ' + msg.payload};", "out"),
        asked("c", "fixed/+", "cs"),
        {"id": "cs", "type": "link call", "name": "", "links": ["group:far/double"], "linkType": "static", "timeout": "40", "wires": [["got"]]},
        asked("d", "dynamic/+", "to"),
        function("to", "msg.target = 'group:far/double'; return msg;", "cd"),
        {"id": "cd", "type": "link call", "name": "", "links": [], "linkType": "dynamic", "timeout": "40", "wires": [["got"]]},
        function("got", "return {payload: [msg.topic, msg.payload, msg.projectLink.projectId].join(' ')};", "out"),
        asked("w", "nowhere/+", "wt"),
        function("wt", "msg.target = 'group:far/a b'; return msg;", "cw"),
        {"id": "cw", "type": "link call", "name": "", "links": [], "linkType": "dynamic", "timeout": "40", "wires": [["got"]]},
        {"id": "e", "type": "catch", "scope": ["cw"], "wires": [["ef"]]},
        function("ef", "return {payload: 'error ' + msg.error.source.id + ' ' + msg.error.message};", "out"),
        {"id": "out", "type": "mqtt out", "topic": "heard", "qos": "1", "broker": "b", "wires": []}
    ])
}

fn far() -> Value {
    json!([
        {"id": "ib", "type": "project link in", "project": "", "broadcast": false, "topic": "box", "wires": [["fb"]]},
        function("fb", "return {payload: 'far ' + msg.payload};", "out"),
        {"id": "ic", "type": "project link in", "project": "", "broadcast": false, "topic": "double", "wires": [["fc"]]},
        function("fc", "msg.payload = Number(msg.payload) * 2; return msg;", "back"),
        {"id": "back", "type": "project link out", "mode": "return", "broadcast": false, "project": "", "topic": "", "wires": []},
        {"id": "out", "type": "mqtt out", "topic": "heard", "qos": "1", "broker": "b", "wires": []}
    ])
}

#[test]
fn links_of_another_group_are_reached_by_name() {
    let broker = TestBroker::start(|_| {});
    let collector = Collector::start(broker.address(), "heard", 1).unwrap();
    let _far = group("far", &far(), broker.address());
    let _near = group("near", &near(), broker.address());
    let mut sender = client(broker.address(), "sender");
    let mut expected = Vec::new();
    for number in 0..MESSAGES {
        for what in ["send", "fixed", "dynamic"] {
            publish(&mut sender, &format!("{what}/{number}"), &number.to_string());
        }
        expected.extend([format!("here {number}"), format!("far {number}")]);
        expected.extend(["fixed", "dynamic"].map(|what| format!("{what}/{number} {} far", number * 2)));
    }
    publish(&mut sender, "nowhere/1", "1");
    let error = |said: &String| said.starts_with("error cw ") && said.contains("a b");
    let _ = eventually("everything", ENDS, || {
        let counts = collector.counts();
        (expected.iter().all(|said| counts.contains_key(said)) && counts.keys().any(error)).then_some(())
    });
    let counts = collector.counts();
    let wrong: Vec<_> = expected.iter().filter(|said| counts.get(*said) != Some(&1)).collect();
    assert!(wrong.is_empty(), "not once: {wrong:?}\n{counts:?}");
    assert_eq!(counts.keys().filter(|said| error(said)).count(), 1, "what makes no topic can be caught: {counts:?}");
    assert_eq!(counts.len(), expected.len() + 1, "{counts:?}");
}
