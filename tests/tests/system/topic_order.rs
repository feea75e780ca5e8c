//! Messages of one topic come out of a group in the order in which they went in, whoever dies.

use std::time::{Duration, Instant};

use flotilla_tests::mqtt::{Client, Connect};
use flotilla_tests::{ReplicaRecord, Up, UpOptions, kill, pause, resume};
use serde_json::json;

const TOPICS: usize = 12;
const EACH: usize = 150;

/// In, a function that changes the topic, out.
fn flow() -> serde_json::Value {
    json!([
        {"id": "t", "type": "tab", "label": "order"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5"},
        {"id": "i", "type": "mqtt in", "z": "t", "topic": "dev/+/n", "qos": "1", "broker": "b", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "outputs": 1, "wires": [["o"]],
         "func": "return {topic: 'out/' + msg.topic.split('/')[1], payload: msg.payload};"},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "", "qos": "1", "broker": "b", "wires": []}
    ])
}

#[test]
fn outputs_of_a_topic_never_step_back_when_replicas_die() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flow.json");
    std::fs::write(&file, flow().to_string()).unwrap();
    let up = Up::start(&file, UpOptions::default()).unwrap();
    let mut outputs = Client::connect(up.mqtt, &Connect::new(5, "outputs")).unwrap();
    outputs.subscribe("out/+", 1).unwrap();
    let mut publisher = Client::connect(up.mqtt, &Connect::new(5, "publisher")).unwrap();
    let mut next = [0; TOPICS];
    let (mut published, mut seen, mut killed) = (0, 0, 0);
    let until = Instant::now() + Duration::from_secs(120);
    while seen < TOPICS * EACH {
        assert!(Instant::now() < until, "{seen} of {}: {next:?}", TOPICS * EACH);
        if published < EACH {
            for topic in 0..TOPICS {
                publisher.publish(&format!("dev/{topic}/n"), published.to_string().as_bytes(), 1, false).unwrap();
            }
            published += 1;
        }
        // Two die, one after the other, while messages are on their way.
        if killed < 2 && seen > (killed + 1) * TOPICS * EACH / 4 {
            if let Some(replica) = up.replicas().get(killed) {
                kill(replica.pid).unwrap();
            }
            killed += 1;
        }
        while let Some(message) = outputs.message(Duration::from_millis(5)).unwrap() {
            outputs.accept(&message).unwrap();
            let topic: usize = message.topic["out/".len()..].parse().unwrap();
            let number: usize = String::from_utf8(message.payload).unwrap().parse().unwrap();
            assert!(number <= next[topic], "{number} of topic {topic} came before {}", next[topic]);
            if number == next[topic] {
                next[topic] += 1;
                seen += 1;
            }
        }
    }
    assert_eq!(killed, 2);
}

/// A replica stands still for longer than the broker waits for it, and goes on then: what it had taken was done by others
/// meanwhile, and what it would still publish of it must not come after that.
#[test]
fn a_replica_that_stood_still_publishes_no_old_value_after_a_new_one() {
    // Longer than the broker waits for it, and shorter than its lease, so that nobody ends it.
    const STILL: Duration = Duration::from_secs(16);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flow.json");
    let mut document = flow();
    // Some messages are always in work.
    document[3]["func"] = "await new Promise(resolve => setTimeout(resolve, 20));
         return {topic: 'out/' + msg.topic.split('/')[1], payload: msg.payload + ' ' + env.get('FLOTILLA_REPLICA')};"
        .into();
    std::fs::write(&file, document.to_string()).unwrap();
    let options = UpOptions { replicas: 3, args: vec!["--lease".into(), "60".into()] };
    let up = Up::start(&file, options).unwrap();
    let mut outputs = Client::connect(up.mqtt, &Connect::new(5, "outputs")).unwrap();
    outputs.subscribe("out/+", 1).unwrap();
    let mut publisher = Client::connect(up.mqtt, &Connect::new(5, "publisher")).unwrap();
    let (mut next, mut others) = ([0; TOPICS], [0; TOPICS]);
    let (mut published, mut seen) = (0, 0);
    let mut stopped: Option<(ReplicaRecord, Instant)> = None;
    let mut resumed = false;
    let until = Instant::now() + Duration::from_secs(150);
    while seen < TOPICS * EACH {
        assert!(Instant::now() < until, "{seen} of {}: {next:?}", TOPICS * EACH);
        // Some of it while the replica stands still, some when it goes on.
        let may = if stopped.is_none() {
            EACH / 3
        } else if resumed {
            EACH
        } else {
            EACH * 2 / 3
        };
        if published < may {
            for topic in 0..TOPICS {
                publisher.publish(&format!("dev/{topic}/n"), published.to_string().as_bytes(), 1, false).unwrap();
            }
            published += 1;
        }
        match &stopped {
            None if seen > TOPICS * EACH / 8 => {
                let one = up.replicas().remove(0);
                pause(one.pid).unwrap();
                stopped = Some((one, Instant::now()));
            }
            Some((one, since)) if !resumed && since.elapsed() > STILL => {
                resume(one.pid).unwrap();
                resumed = true;
            }
            _ => {}
        }
        while let Some(message) = outputs.message(Duration::from_millis(5)).unwrap() {
            outputs.accept(&message).unwrap();
            let topic: usize = message.topic["out/".len()..].parse().unwrap();
            let text = String::from_utf8(message.payload).unwrap();
            let (number, replica) = text.split_once(' ').unwrap();
            let number: usize = number.parse().unwrap();
            assert!(number <= next[topic], "{number} of topic {topic} came before {}", next[topic]);
            let stood_still = stopped.as_ref().is_some_and(|(one, _)| one.id == replica);
            if stood_still {
                assert!(number >= others[topic], "{text} of topic {topic} came after {} by another", others[topic]);
            } else if stopped.is_some() {
                others[topic] = others[topic].max(number);
            }
            if number == next[topic] {
                next[topic] += 1;
                seen += 1;
            }
        }
    }
    assert!(resumed);
}
