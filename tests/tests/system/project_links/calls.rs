//! Calls: the answer comes to the replica that asked; one that dies is asked for again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use flotilla_tests::mqtt::{Client, TestBroker};
use flotilla_tests::{Collector, eventually, kill};
use serde_json::{Value, json};

use super::kit::{ENDS, client, group, publish};

/// Asks the link `double` of `to` and publishes the answer, with the replicas that asked and that got the answer.
fn asking(to: &str) -> Value {
    json!([
        {"id": "ask", "type": "mqtt in", "topic": "ask/+", "qos": "1", "broker": "b", "wires": [["by"]]},
        {"id": "by", "type": "function", "func": "msg.asker = env.get('FLOTILLA_REPLICA'); return msg;", "outputs": 1, "wires": [["call"]]},
        {"id": "call", "type": "project link call", "project": to, "topic": "double", "timeout": "45", "wires": [["got"]]},
        {"id": "got", "type": "function", "outputs": 1, "wires": [["out"]],
         "func": "return {payload: [msg.topic, msg.payload, msg.asker, env.get('FLOTILLA_REPLICA'), msg.projectLink.callStack === undefined].join(' ')};"},
        {"id": "out", "type": "mqtt out", "topic": "answered", "qos": "1", "broker": "b", "wires": []},
        {"id": "late", "type": "catch", "scope": null, "wires": [["lateness"]]},
        {"id": "lateness", "type": "function", "func": "return {payload: 'error ' + msg.error.message};", "outputs": 1, "wires": [["out"]]}
    ])
}

fn answering() -> Value {
    json!([
        {"id": "in", "type": "project link in", "project": "", "broadcast": false, "topic": "double", "wires": [["f"]]},
        {"id": "f", "type": "function", "func": "msg.payload = Number(msg.payload) * 2; return msg;", "outputs": 1, "wires": [["back"]]},
        {"id": "back", "type": "project link out", "mode": "return", "broadcast": false, "project": "", "topic": "", "wires": []}
    ])
}

/// What was answered: by number of the question, (answer, who asked, who got it).
fn answers(counts: &HashMap<String, usize>) -> Vec<(usize, usize, String, String)> {
    let parts = |said: &String| {
        let [topic, answer, asker, receiver, bare] = said.split(' ').collect::<Vec<_>>().try_into().expect(said);
        assert_eq!(bare, "true", "the call stack is empty again, and gone: {said}");
        let number = topic.strip_prefix("ask/").unwrap().parse().unwrap();
        (number, answer.parse().unwrap(), asker.to_owned(), receiver.to_owned())
    };
    counts.keys().filter(|said| !said.starts_with("error")).map(parts).collect()
}

#[test]
fn an_answer_comes_to_the_replica_that_asked() {
    const QUESTIONS: usize = 60;
    let broker = TestBroker::start(|_| {});
    let collector = Collector::start(broker.address(), "answered", 1).unwrap();
    let _asked = group("asked", &answering(), broker.address());
    let _asking = group("asking", &asking("asked"), broker.address());
    let mut sender = client(broker.address(), "sender");
    for number in 0..QUESTIONS {
        publish(&mut sender, &format!("ask/{number}"), &number.to_string());
    }
    let _ = eventually("every answer", ENDS, || (collector.distinct() >= QUESTIONS).then_some(()));
    let counts = collector.counts();
    let answers = answers(&counts);
    let numbers: HashSet<usize> = answers.iter().map(|(number, ..)| *number).collect();
    assert_eq!((answers.len(), numbers.len()), (QUESTIONS, QUESTIONS), "{counts:?}");
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    assert!(answers.iter().all(|(number, answer, asker, receiver)| *answer == number * 2 && asker == receiver));
    let askers: HashSet<&String> = answers.iter().map(|(.., asker, _)| asker).collect();
    assert!(askers.len() > 1, "more than one replica asks: {askers:?}");
}

/// A question as a project of the test's own gets it.
struct Question {
    number: usize,
    asker: String,
    message: Value,
}

fn question(project: &mut Client, patience: Duration) -> Option<Question> {
    let came = project.message(patience).unwrap()?;
    project.accept(&came).unwrap();
    let message: Value = serde_json::from_slice(&came.payload).unwrap();
    let said = |name: &str| came.user.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((came.qos, said("_projectID"), said("_nodeID")), (2, Some("asking"), Some("call")));
    assert!(said("_publishTime").is_some());
    let call = &message["projectLink"]["callStack"][0];
    assert_eq!(call["eventId"].as_str().unwrap().as_bytes(), came.correlation);
    assert_eq!((call["project"].as_str(), call["topic"].as_str()), (Some("asking"), Some("double")));
    let number = message["topic"].as_str().unwrap().strip_prefix("ask/").unwrap().parse().unwrap();
    Some(Question { number, asker: message["asker"].as_str().unwrap().to_owned(), message })
}

fn answer(project: &mut Client, Question { number, message, .. }: Question) {
    let mut message = message;
    let call = message["projectLink"]["callStack"].as_array_mut().unwrap().pop().unwrap();
    message["payload"] = json!(number * 2);
    let text = |name: &str| call[name].as_str().unwrap();
    let topic = format!("ff/v1/flotilla/p/{}/{}/{}", text("project"), text("response"), text("topic"));
    let code = project.publish_correlated(&topic, message.to_string().as_bytes(), text("eventId").as_bytes()).unwrap();
    assert!(code < 0x80, "0x{code:02x}");
}

#[test]
fn a_call_of_a_replica_that_dies_is_asked_again() {
    const QUESTIONS: usize = 20;
    let broker = TestBroker::start(|_| {});
    let collector = Collector::start(broker.address(), "answered", 1).unwrap();
    let mut project = client(broker.address(), "asked");
    project.subscribe("ff/v1/flotilla/p/asked/in/double", 2).unwrap();
    let group = group("asking", &asking("asked"), broker.address());
    let mut sender = client(broker.address(), "sender");
    for number in 0..QUESTIONS {
        publish(&mut sender, &format!("ask/{number}"), &number.to_string());
    }
    // All have asked, and nobody has an answer when one of them dies.
    let mut waiting: Vec<Question> = Vec::new();
    while waiting.len() < QUESTIONS {
        waiting.push(question(&mut project, ENDS).expect("every question"));
    }
    assert_eq!(collector.distinct(), 0, "nothing is answered yet");
    let victim = waiting[0].asker.clone();
    let lost: HashSet<usize> =
        waiting.iter().filter(|question| question.asker == victim).map(|question| question.number).collect();
    let process = group.replicas().into_iter().find(|replica| replica.id == victim).expect("the one that asked");
    kill(process.pid).unwrap();
    waiting.retain(|question| question.asker != victim);
    // What the others asked is not asked again; what the dead one asked is, by another.
    let mut again = HashSet::new();
    while again != lost {
        let asked = question(&mut project, ENDS).expect("each question of the dead replica once more");
        assert!(asked.asker != victim && lost.contains(&asked.number), "{} by {}", asked.number, asked.asker);
        again.insert(asked.number);
        waiting.push(asked);
    }
    waiting.into_iter().for_each(|question| answer(&mut project, question));
    let _ = eventually("every answer", ENDS, || (collector.distinct() >= QUESTIONS).then_some(()));
    let counts = collector.counts();
    let answers = answers(&counts);
    assert_eq!(answers.iter().map(|(number, ..)| *number).collect::<HashSet<_>>().len(), QUESTIONS, "{counts:?}");
    assert!(answers.iter().all(|(_, _, asker, receiver)| asker == receiver && *asker != victim), "{counts:?}");
}

#[test]
fn a_call_without_an_answer_is_an_error_that_can_be_caught() {
    let broker = TestBroker::start(|_| {});
    let collector = Collector::start(broker.address(), "answered", 1).unwrap();
    let mut nodes = asking("nobody");
    nodes[2]["timeout"] = json!("0.5");
    let _group = group("asking", &nodes, broker.address());
    let mut sender = client(broker.address(), "sender");
    publish(&mut sender, "ask/1", "1");
    eventually("the error", ENDS, || (collector.counts().get("error timeout") == Some(&1)).then_some(())).unwrap();
}
