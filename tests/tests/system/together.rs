//! What the replicas of a group do as one: retained messages, nodes that one replica at a time consumes, birth and will,
//! subscriptions by message. On Flotilla's broker and on another.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect};
use flotilla_tests::{Collector, Mosquitto, Up, UpOptions, eventually, kill, pause, request, resume, write_flow};
use serde_json::{Value, json};

const ENDS: Duration = Duration::from_secs(60);

/// A flow with one broker node, `b`, whose fields `broker` overrides, and these nodes.
fn flow(broker: &Value, nodes: &Value) -> Value {
    let mut first =
        json!({"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5"});
    for (name, value) in broker.as_object().unwrap() {
        first[name] = value.clone();
    }
    let mut document = json!([{"id": "t", "type": "tab", "label": "together"}, first]);
    document.as_array_mut().unwrap().extend(nodes.as_array().unwrap().iter().cloned());
    document
}

/// Where the group is: beside a Mosquitto, or with a broker of its own.
fn start(document: &Value, mosquitto: Option<&Mosquitto>) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), document).unwrap();
    // Nothing here takes long: whoever waits for the drain time-out waits in vain.
    let args = ["--lease", "2", "--drain-timeout", "120"].map(str::to_owned).to_vec();
    let options = UpOptions { replicas: 3, args };
    match mosquitto {
        Some(broker) => Up::start_beside(&file, options, broker.address).unwrap(),
        None => Up::start(&file, options).unwrap(),
    }
}

fn client(broker: SocketAddr, id: &str) -> Client {
    Client::connect(broker, &Connect::new(5, id)).unwrap()
}

fn publish(client: &mut Client, topic: &str, payload: &str, retain: bool) {
    let id = client.publish(topic, payload.as_bytes(), 1, retain).unwrap();
    client.confirmed(id, 1).unwrap();
}

#[test]
fn retained_messages_are_handled_once_by_the_group_on_another_broker() {
    const TOPICS: usize = 40;
    let broker = Mosquitto::start().unwrap();
    let mut publisher = client(broker.address, "publisher");
    for topic in 0..TOPICS {
        publish(&mut publisher, &format!("state/{topic}"), "on", true);
    }
    let nodes = json!([
        {"id": "i", "type": "mqtt in", "z": "t", "topic": "state/+", "qos": "1", "rap": true, "broker": "b", "wires": [["f"]]},
        {"id": "j", "type": "mqtt in", "z": "t", "topic": "state/0", "qos": "1", "rap": true, "broker": "b", "wires": [["g"]],
         "flotilla": {"retained": "each"}},
        {"id": "f", "type": "function", "z": "t", "func": "return {topic: 'out', payload: msg.topic + ' ' + msg.payload + ' ' + msg.retain};",
         "outputs": 1, "wires": [["o"]]},
        {"id": "g", "type": "function", "z": "t", "func": "return {topic: 'out', payload: 'each ' + msg.payload};",
         "outputs": 1, "wires": [["o"]]},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "", "qos": "1", "broker": "b", "wires": []}
    ]);
    let collector = Collector::start(broker.address, "out", 1).unwrap();
    let up = start(&flow(&json!({}), &nodes), Some(&broker));
    let retained = |counts: &HashMap<String, usize>| counts.keys().filter(|said| said.ends_with(" true")).count();
    eventually("the retained messages", ENDS, || (retained(&collector.counts()) == TOPICS).then_some(())).unwrap();
    let each = || collector.counts().get("each on").copied().unwrap_or_default();
    eventually("each replica's", ENDS, || (each() == 3).then_some(())).unwrap();
    // A replica that starts again is no new beginning for the group; it is one for what each replica gets.
    kill(up.replicas().remove(0).pid).unwrap();
    eventually("that of the replica that started again", ENDS, || (each() == 4).then_some(())).unwrap();
    // Behind everything that could still have come of it.
    publish(&mut publisher, "state/live", "now", false);
    eventually("a live message", ENDS, || collector.counts().contains_key("state/live now false").then_some(()))
        .unwrap();
    let counts = collector.counts();
    let twice: Vec<_> = counts.iter().filter(|(said, count)| !said.starts_with("each") && **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Counts all messages of the group in memory, so that it shows whether one replica has them all.
fn one_at_a_time(mosquitto: Option<&Mosquitto>) {
    const MESSAGES: usize = 400;
    let count = "const n = (context.get('n') || 0) + 1; context.set('n', n);
         return {topic: 'out', payload: msg.payload + ' ' + n + ' ' + env.get('FLOTILLA_REPLICA')};";
    let nodes = json!([
        {"id": "i", "type": "mqtt in", "z": "t", "topic": "in/#", "qos": "1", "broker": "b", "wires": [["f"]],
         "flotilla": {"share": "single"}},
        {"id": "f", "type": "function", "z": "t", "func": count, "outputs": 1, "wires": [["o"]]},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "", "qos": "1", "broker": "b", "wires": []}
    ]);
    let mut up = start(&flow(&json!({}), &nodes), mosquitto);
    let mut outputs = client(up.mqtt, "outputs");
    outputs.subscribe("out", 1).unwrap();
    let mut publisher = client(up.mqtt, "publisher");
    let (mut next, mut published) = (0, 0);
    let (mut by, mut counted) = (Vec::<String>::new(), HashMap::<String, usize>::new());
    while next < MESSAGES {
        if published < MESSAGES {
            publisher.publish(&format!("in/{}", published % 7), published.to_string().as_bytes(), 1, false).unwrap();
            published += 1;
        }
        if published == MESSAGES / 2 && by.len() == 1 {
            let holder = up.replicas().into_iter().find(|replica| replica.id == by[0]);
            if let Some(holder) = holder {
                kill(holder.pid).unwrap();
            }
        }
        let patience = if published < MESSAGES { Duration::from_millis(2) } else { ENDS };
        let Some(message) = outputs.message(patience).unwrap() else {
            assert!(published < MESSAGES, "nothing more came after {next} of {MESSAGES}, by {by:?}");
            continue;
        };
        outputs.accept(&message).unwrap();
        let text = String::from_utf8(message.payload).unwrap();
        let [number, n, replica] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let number: usize = number.parse().unwrap();
        assert!(number <= next, "{number} came before {next}: across topics, too, as with one Node-RED");
        if number == next {
            next += 1;
        }
        if by.last().is_none_or(|last| last != replica) {
            assert!(!by.iter().any(|known| known == replica), "it came back to {replica}: {by:?}");
            by.push(replica.to_owned());
        }
        let known = counted.entry(replica.to_owned()).or_default();
        *known += 1;
        assert_eq!(n.parse::<usize>().unwrap(), *known, "one replica has them all while it has the role");
    }
    assert_eq!(by.len(), 2, "the one that was killed, then another");
    assert!(up.stop().unwrap().success(), "those that stand by have nothing to finish");
}

#[test]
fn a_single_node_is_consumed_by_one_replica_at_a_time_in_order_on_flotilla_s_broker() {
    one_at_a_time(None);
}

#[test]
fn a_single_node_is_consumed_by_one_replica_at_a_time_in_order_on_another_broker() {
    one_at_a_time(Some(&Mosquitto::start().unwrap()));
}

/// Every status that the group shows while replicas are killed and fewer are asked for.
fn status_of_a_group(mosquitto: Option<&Mosquitto>) {
    let broker = json!({
        "birthTopic": "svc/status", "birthQos": "1", "birthRetain": "true", "birthPayload": "online",
        "closeTopic": "svc/status", "closeQos": "1", "closeRetain": "true", "closePayload": "offline",
        "willTopic": "svc/status", "willQos": "1", "willRetain": "true", "willPayload": "offline"
    });
    let nodes = json!([
        {"id": "i", "type": "mqtt in", "z": "t", "topic": "ping/#", "qos": "1", "broker": "b", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "func": "return {topic: 'out', payload: msg.payload};", "outputs": 1,
         "wires": [["o"]]},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "", "qos": "1", "broker": "b", "wires": []}
    ]);
    let mut up = start(&flow(&broker, &nodes), mosquitto);
    let mut observer = client(up.mqtt, "observer");
    observer.subscribe("svc/status", 1).unwrap();
    let mut said = Vec::new();
    let mut hear = |until: &dyn Fn(&[String]) -> bool, patience: Duration| {
        let end = std::time::Instant::now() + patience;
        while !until(&said) && std::time::Instant::now() < end {
            if let Some(message) = observer.message(Duration::from_millis(100)).unwrap() {
                observer.accept(&message).unwrap();
                said.push(String::from_utf8(message.payload).unwrap());
            }
        }
        said.clone()
    };
    let first = hear(&|said| !said.is_empty(), ENDS);
    assert_eq!(first.last().map(String::as_str), Some("online"));
    for _ in 0..3 {
        let before = hear(&|_| true, Duration::ZERO).len();
        let victim = up.replicas().remove(0);
        kill(victim.pid).unwrap();
        eventually("it to be gone", ENDS, || up.replicas().iter().all(|now| now.pid != victim.pid).then_some(()))
            .unwrap();
        up.wait_for_ready(3).unwrap();
        // Whether it was the one with the role or not: the status that is left is the right one.
        hear(&|said| said.len() > before, Duration::from_secs(3));
    }
    assert!(up.run(&["scale", "--replicas", "1"]).unwrap().status.success());
    eventually("two to leave", ENDS, || (up.replicas().len() == 1).then_some(())).unwrap();
    let all = hear(&|_| false, Duration::from_secs(4));
    assert_eq!(all.last().map(String::as_str), Some("online"), "{all:?}");
    assert!(mosquitto.is_some() || all.iter().all(|status| status == "online"), "never offline: {all:?}");
    if mosquitto.is_some() {
        up.stop().unwrap();
        let all = hear(&|said| said.last().is_some_and(|last| last == "offline"), ENDS);
        assert_eq!(all.last().map(String::as_str), Some("offline"), "the last one says goodbye: {all:?}");
    }
}

#[test]
fn birth_and_will_are_the_group_s_on_flotilla_s_broker() {
    status_of_a_group(None);
}

#[test]
fn birth_and_will_are_the_group_s_on_another_broker() {
    status_of_a_group(Some(&Mosquitto::start().unwrap()));
}

#[test]
fn a_dynamic_subscription_holds_for_the_whole_group_and_outlives_the_replica_that_was_asked() {
    let nodes = json!([
        {"id": "h", "type": "http in", "z": "t", "url": "/line", "method": "post", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "outputs": 2, "wires": [["a"], ["r"]],
         "func": "return [{action: msg.payload.action, topic: msg.payload.topic}, {req: msg.req, res: msg.res, payload: env.get('FLOTILLA_REPLICA')}];"},
        {"id": "r", "type": "http response", "z": "t", "wires": []},
        {"id": "a", "type": "mqtt in", "z": "t", "topic": "", "qos": "1", "inputs": 1, "broker": "b", "wires": [["g"]]},
        {"id": "g", "type": "function", "z": "t", "func": "return {topic: 'out', payload: msg.payload};", "outputs": 1,
         "wires": [["o"]]},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "", "qos": "1", "broker": "b", "wires": []}
    ]);
    let up = start(&flow(&json!({}), &nodes), None);
    let collector = Collector::start(up.mqtt, "out", 1).unwrap();
    let mut publisher = client(up.mqtt, "publisher");
    let ask = |action: &str| {
        let body = json!({"action": action, "topic": "line/4"}).to_string();
        request(up.http, "POST", "/line", "Content-Type: application/json\r\n", &body).unwrap().body
    };
    // A message each time, until it comes through; then all of ten come, once each.
    let mut all_come = |round: &str| {
        let mut probe = 0;
        eventually("the subscription to be in force", ENDS, || {
            probe += 1;
            publish(&mut publisher, "line/4", &format!("{round} probe {probe}"), false);
            collector.counts().keys().any(|said| said.starts_with(&format!("{round} probe"))).then_some(())
        })
        .unwrap();
        (0..10).for_each(|n| publish(&mut publisher, "line/4", &format!("{round} {n}"), false));
        eventually("all ten", ENDS, || {
            let counts = collector.counts();
            (0..10).all(|n| counts.contains_key(&format!("{round} {n}"))).then_some(())
        })
        .unwrap();
        let counts = collector.counts();
        assert!(counts.values().all(|count| *count == 1), "{round}: {counts:?}");
    };
    let asked = ask("subscribe");
    all_come("first");
    (0..3).for_each(|_| drop(ask("subscribe")));
    all_come("again");
    let replica = up.replicas().into_iter().find(|replica| replica.id == asked).unwrap();
    kill(replica.pid).unwrap();
    up.wait_for_ready(3).unwrap();
    all_come("without it");
    drop(ask("unsubscribe"));
    // Nothing comes once it has reached all: three that are not handled, one after the other.
    let mut silent = 0;
    let end = std::time::Instant::now() + ENDS;
    let mut number = 0;
    while silent < 3 {
        assert!(std::time::Instant::now() < end, "it goes on after the unsubscribe");
        number += 1;
        let text = format!("after {number}");
        publish(&mut publisher, "line/4", &text, false);
        let came =
            eventually("nothing", Duration::from_millis(700), || collector.counts().contains_key(&text).then_some(()));
        silent = if came.is_ok() { 0 } else { silent + 1 };
    }
}

/// A broker that is away: what a flow has published is with the replica alone, unless it is kept.
#[test]
fn with_a_durable_outbox_what_a_request_published_outlives_its_replica() {
    const REQUESTS: usize = 10;
    let nodes = json!([
        {"id": "h", "type": "http in", "z": "t", "url": "/order", "method": "post", "wires": [["o", "r"]]},
        {"id": "r", "type": "http response", "z": "t", "wires": []},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "out", "qos": "1", "broker": "b", "wires": []}
    ]);
    let broker = Mosquitto::start().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow(&json!({}), &nodes)).unwrap();
    let args = vec!["--lease".into(), "2".into(), "--durable-outbox".into()];
    let up = Up::start_beside(&file, UpOptions { replicas: 1, args }, broker.address).unwrap();
    let collector = Collector::start(broker.address, "out", 1).unwrap();
    pause(broker.pid()).unwrap();
    for number in 0..REQUESTS {
        let answer =
            request(up.http, "POST", "/order", "Content-Type: text/plain\r\n", &format!("order {number}")).unwrap();
        assert_eq!(answer.status, 200);
    }
    let store = rusqlite::Connection::open(up.data().join("store.db")).unwrap();
    let kept = || -> i64 {
        let sql = "SELECT count(*) FROM entry WHERE key LIKE 'group/default/outbox/%' AND value IS NOT NULL";
        store.query_row(sql, [], |row| row.get(0)).unwrap_or(-1)
    };
    eventually("all to be kept", ENDS, || (kept() == REQUESTS as i64).then_some(())).unwrap();
    let replica = up.replicas().remove(0);
    kill(replica.pid).unwrap();
    eventually("another replica", ENDS, || {
        up.replicas().first().filter(|now| now.id != replica.id || now.pid != replica.pid).map(drop)
    })
    .unwrap();
    resume(broker.pid()).unwrap();
    eventually("every order", ENDS, || {
        let counts = collector.counts();
        (0..REQUESTS).all(|number| counts.contains_key(&format!("order {number}"))).then_some(())
    })
    .unwrap();
    eventually("nothing to be kept any more", ENDS, || (kept() == 0).then_some(())).unwrap();
}
