//! HTTP requests that wait for a reply by MQTT: the reply reaches the replica with the request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect};
use flotilla_tests::{Collector, Up, UpOptions, get, write_flow};
use serde_json::{Value, json};

const REQUESTS: usize = 24;

/// Keeps a request in flow context, publishes, and answers when the reply comes on `filter`; `more` are further nodes that
/// hear the reply.
fn flow(filter: &str, reply_to: &str, more: &Value) -> Value {
    let ask = format!(
        "const p = flow.get('pending') || {{}}; p[msg._msgid] = msg; flow.set('pending', p);
         return {{topic: 'svc/req', payload: {{id: msg._msgid, n: msg.req.query.n, to: {reply_to}}}}};"
    );
    let answer = "const p = flow.get('pending') || {}; const m = p[msg.payload.id]; if (!m) return null;
         delete p[msg.payload.id]; m.payload = {answer: msg.payload.answer}; return m;";
    let mut document = json!([
        {"id": "t", "type": "tab", "label": "asks"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5"},
        {"id": "h", "type": "http in", "z": "t", "url": "/ask", "method": "get", "wires": [["k"]]},
        {"id": "k", "type": "function", "z": "t", "func": ask, "outputs": 1, "wires": [["o"]]},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "", "qos": "1", "broker": "b", "wires": []},
        {"id": "i", "type": "mqtt in", "z": "t", "topic": filter, "qos": "1", "datatype": "json", "broker": "b",
         "wires": [["g", "heard"]]},
        {"id": "g", "type": "function", "z": "t", "func": answer, "outputs": 1, "wires": [["r"]]},
        {"id": "r", "type": "http response", "z": "t", "wires": []}
    ]);
    document.as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
    document
}

/// A service that answers what is asked on `svc/req`, on the topic that the request names or on `svc/res`.
struct Service {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    fn start(up: &Up) -> Service {
        let mut client = Client::connect(up.mqtt, &Connect::new(5, "service")).unwrap();
        client.subscribe("svc/req", 1).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let Some(message) = client.message(Duration::from_millis(50)).unwrap() else { continue };
                client.accept(&message).unwrap();
                let asked: Value = serde_json::from_slice(&message.payload).unwrap();
                let number: u64 = asked["n"].as_str().unwrap().parse().unwrap();
                let reply = json!({"id": asked["id"], "answer": number * 2}).to_string();
                let to = asked["to"].as_str().unwrap_or("svc/res");
                client.publish(to, reply.as_bytes(), 1, false).unwrap();
            }
        });
        Service { stop, thread: Some(thread) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_none_or(|ended| ended.is_ok()));
    }
}

fn every_request_is_answered(up: &Up) {
    let requests: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let http = up.http;
            std::thread::spawn(move || {
                get(http, &format!("/ask?n={number}")).map(|answer| (answer.status, answer.body))
            })
        })
        .collect();
    for (number, request) in requests.into_iter().enumerate() {
        let (status, body) = request.join().unwrap().unwrap();
        assert_eq!((status, body), (200, format!("{{\"answer\":{}}}", number * 2)), "request {number}");
    }
}

fn start(document: &Value) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), document).unwrap();
    Up::start(&file, UpOptions::default()).unwrap()
}

#[test]
fn a_reply_topic_of_the_replica_s_own_gets_each_reply_once_and_where_the_request_is() {
    let more = json!([{"id": "heard", "type": "mqtt out", "z": "t", "topic": "heard", "qos": "1", "broker": "b", "wires": []}]);
    let up = start(&flow("svc/${FLOTILLA_REPLICA}/res", "'svc/' + env.get('FLOTILLA_REPLICA') + '/res'", &more));
    let heard = Collector::start(up.mqtt, "heard", 1).unwrap();
    let _service = Service::start(&up);
    every_request_is_answered(&up);
    flotilla_tests::eventually("every reply to be heard", Duration::from_secs(20), || {
        (heard.distinct() == REQUESTS).then_some(())
    })
    .unwrap();
    assert!(heard.counts().values().all(|count| *count == 1), "each in one replica: {:?}", heard.counts());
}

#[test]
fn a_node_that_does_nothing_but_answer_gets_every_reply_in_every_replica() {
    let up = start(&flow("svc/res", "undefined", &json!([{"id": "heard", "type": "debug", "z": "t", "wires": []}])));
    let _service = Service::start(&up);
    every_request_is_answered(&up);
}
