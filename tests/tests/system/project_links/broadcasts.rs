//! Who hears what: direct messages and broadcasts in three groups of three replicas.

use std::collections::HashMap;

use flotilla_tests::mqtt::TestBroker;
use flotilla_tests::{Collector, eventually};
use serde_json::{Value, json};

use super::kit::{ENDS, client, group, publish};

const MESSAGES: usize = 30;
/// How often the last messages are heard: news of red by three groups, twice each; alarms seven times; and one in a box.
const LAST: usize = 3 + 3 + 7 + 1;

/// Hears broadcasts of all on `news` and what is sent to it on `box`, and says who heard what. `alarm`: more fields of the
/// node that hears alarms.
fn nodes(next: &str, alarm: &Value) -> Value {
    let says = |what: &str| {
        format!(
            "return {{payload: ['{what}', env.get('GROUP'), env.get('FLOTILLA_REPLICA'), msg.payload, \
             msg.projectLink.projectId].join(' ')}};"
        )
    };
    let heard = |id: &str, what: &str| json!({"id": id, "type": "function", "func": says(what), "outputs": 1, "wires": [["heard"]]});
    let mut alarms = json!({"id": "ia", "type": "project link in", "project": "all", "broadcast": true, "topic": "alarm/fire",
                            "wires": [["fa"]]});
    alarms.as_object_mut().unwrap().extend(alarm.as_object().unwrap().clone());
    json!([
        {"id": "in", "type": "project link in", "project": "all", "broadcast": true, "topic": "news", "wires": [["fn"]]},
        {"id": "if", "type": "project link in", "project": "red", "broadcast": "true", "topic": "news", "wires": [["ff"]]},
        alarms,
        {"id": "ib", "type": "project link in", "project": "", "broadcast": false, "topic": "box", "wires": [["fb"]]},
        heard("fn", "news"), heard("ff", "from-red"), heard("fa", "alarm"), heard("fb", "box"),
        {"id": "heard", "type": "mqtt out", "topic": "heard", "qos": "2", "broker": "b", "wires": []},
        {"id": "mn", "type": "mqtt in", "topic": "${GROUP}/news/+", "qos": "2", "broker": "b", "wires": [["on"]]},
        {"id": "ma", "type": "mqtt in", "topic": "${GROUP}/alarm/+", "qos": "2", "broker": "b", "wires": [["oa"]]},
        {"id": "mb", "type": "mqtt in", "topic": "${GROUP}/box/+", "qos": "2", "broker": "b", "wires": [["ob"]]},
        {"id": "on", "type": "project link out", "mode": "link", "broadcast": true, "project": "", "topic": "news", "wires": []},
        {"id": "oa", "type": "project link out", "mode": "link", "broadcast": true, "project": "", "topic": "alarm/fire", "wires": []},
        {"id": "ob", "type": "project link out", "mode": "link", "broadcast": false, "project": next, "topic": "box", "wires": []}
    ])
}

fn flow_of(name: &str, next: &str, alarm: &Value) -> Value {
    let text =
        nodes(next, alarm).to_string().replace("${GROUP}", name).replace("env.get('GROUP')", &format!("'{name}'"));
    serde_json::from_str(&text).unwrap()
}

/// How often each group heard each message, and the replicas that did.
fn by_group(heard: &HashMap<String, usize>, what: &str) -> HashMap<(String, String), (usize, Vec<String>)> {
    let mut found: HashMap<(String, String), (usize, Vec<String>)> = HashMap::new();
    for (said, count) in heard {
        let [of, group, replica, payload, _from] = said.split(' ').collect::<Vec<_>>().try_into().unwrap();
        if of == what {
            let entry = found.entry((group.to_owned(), payload.to_owned())).or_default();
            entry.0 += count;
            entry.1.push(replica.to_owned());
        }
    }
    found
}

#[test]
fn each_group_hears_a_broadcast_once_and_every_replica_where_it_is_asked_for() {
    let broker = TestBroker::start(|_| {});
    let collector = Collector::start(broker.address(), "heard", 2).unwrap();
    // Two ways to ask for it: in the node, as its document may say, and as the group's setting.
    let each = json!({"ha": {"broadcast": "each"}});
    let set = json!({"flotilla": {"broadcast": "each"}});
    let _groups = [("red", "green", json!({})), ("green", "blue", each), ("blue", "red", set)]
        .map(|(name, next, alarm)| group(name, &flow_of(name, next, &alarm), broker.address()));
    let mut sender = client(broker.address(), "sender");
    for number in 0..MESSAGES {
        for (group, to) in [("red", "news"), ("green", "news"), ("red", "alarm"), ("green", "box")] {
            publish(&mut sender, &format!("{group}/{to}/{number}"), &format!("{group}-{number}"));
        }
    }
    // News of two groups in three, those of red once more, alarms once in red and three times in the others, and what green
    // sends to blue.
    let expected = 2 * 3 * MESSAGES + 3 * MESSAGES + (1 + 3 + 3) * MESSAGES + MESSAGES;
    let total = || collector.counts().values().sum::<usize>();
    let _ = eventually("everything that is heard", ENDS, || (total() >= expected).then_some(()));
    // Behind everything that could still have come of it: the same ways once more, one after the other.
    for (group, to) in [("red", "news"), ("red", "alarm"), ("green", "box")] {
        publish(&mut sender, &format!("{group}/{to}/last"), "last");
    }
    let _ = eventually("the last", ENDS, || (total() >= expected + LAST).then_some(()));
    let heard = collector.counts();
    let from = |said: &&String| said.ends_with(" red") || said.ends_with(" green");
    assert!(heard.keys().all(|said| from(&said)), "it says who sent it: {heard:?}");

    let news = by_group(&heard, "news");
    let from_red = by_group(&heard, "from-red");
    let alarms = by_group(&heard, "alarm");
    for group in ["red", "green", "blue"] {
        for number in 0..MESSAGES {
            let of = |from: &str| (group.to_owned(), format!("{from}-{number}"));
            for from in ["red", "green"] {
                assert_eq!(news.get(&of(from)).map(|(count, _)| *count), Some(1), "{group}: news {number} of {from}");
            }
            assert_eq!(from_red.get(&of("red")).map(|(count, _)| *count), Some(1), "{group}: news {number} from red");
            let copies = if group == "red" { 1 } else { 3 };
            let (count, mut replicas) = alarms.get(&of("red")).cloned().unwrap_or_default();
            replicas.sort();
            replicas.dedup();
            assert_eq!((count, replicas.len()), (copies, copies), "{group}: alarm {number} at {replicas:?}");
        }
    }
    assert!(!from_red.keys().any(|(_, payload)| payload.starts_with("green")), "who listens to red hears red alone");
    let sent: Vec<_> = by_group(&heard, "box").into_iter().filter(|((_, payload), _)| payload != "last").collect();
    assert_eq!(sent.len(), MESSAGES);
    assert!(sent.iter().all(|((group, _), (count, _))| group == "blue" && *count == 1), "{sent:?}");
    assert_eq!(total(), expected + LAST, "nothing came twice");
}
