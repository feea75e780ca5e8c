//! Waits that flows give as numbers: none is too large, too small or no number at all. And what a panic in a node's task does.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::settings::Settings;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use serde_json::{Value, json};

use crate::flow::Flow;

/// The node type `fragile`: works on a message in a task of its own, and panics there when the payload is `panic`.
struct Fragile(NodeCx);

impl Node for Fragile {
    fn receive(&self, msg: Msg) {
        let cx = self.0.clone();
        self.0.work().spawn(async move {
            tokio::task::yield_now().await;
            assert!(msg.get("payload").as_str() != Some("panic"), "as the message says");
            cx.out().send(msg);
        });
    }
}

fn fragile(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    assert!(cx.name() != "panics", "while it is built");
    Ok(Rc::new(Fragile(cx)))
}

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("fragile", fragile);

/// Large enough that no clock can take it; JSON has no `Infinity`.
const HUGE: f64 = 1e300;

fn settings(node_red: Value) -> Settings {
    let Value::Object(node_red) = node_red else { return Settings::default() };
    Settings { workers: 1, catalogue_keys: true, node_red, ..Settings::default() }
}

#[test]
fn a_panic_in_a_nodes_task_fails_what_it_held_and_nothing_else() {
    let flow = Flow::of(r#"{"type":"fragile"}"#);
    flow.send(r#"{"payload":"panic"}"#);
    flow.logged("internal error in fragile node: as the message says");
    let counts = flow.settled();
    assert_eq!((counts.failed, counts.completed), (1, 0));
    flow.send(r#"{"payload":"fine"}"#);
    assert_eq!(flow.payloads(1), r#"["fine"]"#);
    assert_eq!(flow.settled().completed, 1);
}

#[test]
fn a_node_that_panics_while_it_is_built_is_a_problem_of_the_deploy() {
    let flow = Flow::of(r#"{"type":"fragile"}"#);
    let document = json!([
        {"id": "t", "type": "tab"}, {"id": "bad", "z": "t", "type": "fragile", "name": "panics", "wires": []},
        {"id": "n", "z": "t", "type": "fragile", "wires": [["out"]]}, {"id": "out", "z": "t", "type": "sink", "wires": []},
    ]);
    let report = flow.redeploy(&document, flotilla_engine::DeployMode::Full);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(
        (report.problems[0].id.as_str(), report.problems[0].message.as_str()),
        ("bad", "internal error in fragile node: while it is built")
    );
    flow.send(r#"{"payload":"fine"}"#);
    assert_eq!(flow.payloads(1), r#"["fine"]"#);
}

#[test]
fn requests_take_any_time_out() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        while let Ok((mut peer, _)) = server.accept() {
            let _ = peer.read(&mut [0; 4096]);
            let _ = peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    let times = ["Infinity", "Number.MAX_VALUE", "-1", "NaN", "'x'", "1e17"];
    for time in times {
        let flow = Flow::with(
            json!([
                {"id": "n", "type": "function", "func": format!("msg.requestTimeout = {time}; return msg;"), "wires": [["r"]]},
                {"id": "r", "type": "http request", "method": "GET", "url": url, "ret": "txt", "wires": [["out"]]},
            ]),
            settings(json!({})),
        );
        let flow = flow.unwrap();
        flow.send("{}");
        assert_eq!(flow.payloads(1), r#"["ok"]"#, "{time}");
        assert_eq!(flow.panics(), Vec::<String>::new(), "{time}");
        assert_eq!(flow.settled().completed, 1, "{time}");
    }
}

#[test]
fn no_number_of_a_nodes_configuration_is_too_large() {
    let nodes = json!([
        {"id": "n", "type": "function", "func": "return msg;", "timeout": HUGE, "wires": [["out"]]},
        {"id": "once", "type": "inject", "once": true, "onceDelay": HUGE, "wires": [["out"]]},
        {"id": "soon", "type": "inject", "once": true, "onceDelay": -HUGE, "props": [{"p": "payload", "v": "soon", "vt": "str"}], "wires": [["out"]]},
        {"id": "delay", "type": "delay", "pauseType": "delay", "timeout": HUGE, "timeoutUnits": "days", "wires": [["out"]]},
        {"id": "rate", "type": "delay", "pauseType": "rate", "rate": "1", "nbRateUnits": HUGE, "rateUnits": "day", "wires": [[]]},
        {"id": "trigger", "type": "trigger", "duration": HUGE, "units": "hr", "op1type": "nul", "wires": [["out"]]},
        {"id": "batch", "type": "batch", "mode": "interval", "interval": HUGE, "wires": [["out"]]},
        {"id": "join", "type": "join", "mode": "custom", "build": "array", "timeout": HUGE, "wires": [["out"]]},
        {"id": "call", "type": "link call", "links": ["nowhere"], "timeout": HUGE, "wires": [["out"]]},
        {"id": "exec", "type": "exec", "command": "true", "timer": HUGE, "wires": [["out"], [], []]},
    ]);
    let flow = Flow::with(nodes, settings(json!({"globalFunctionTimeout": HUGE}))).unwrap();
    assert_eq!(flow.payloads(1), r#"["soon"]"#, "a delay below none is none");
    flow.send(r#"{"payload":1}"#);
    for node in ["delay", "rate", "trigger", "batch", "join", "call", "exec"] {
        flow.send_to(node, r#"{"payload":2,"delay":1e300}"#);
    }
    assert_eq!(flow.messages(3).len(), 3, "those of inject, function and exec");
    assert_eq!(flow.panics(), Vec::<String>::new());
}
