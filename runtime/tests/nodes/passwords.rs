//! URLs with a user and a password: no node repeats the password.

use flotilla_engine::DeployMode;
use flotilla_engine::settings::Settings;
use serde_json::json;

use crate::flow::Flow;

#[test]
fn no_log_line_status_or_problem_of_a_network_node_shows_a_password() {
    let settings = Settings { workers: 1, ..Settings::default() };
    let flow = Flow::documented(&json!([{"id": "t", "type": "tab"}]), settings).unwrap();
    // Nothing listens at port 1; the others are wrong in a way that leaves the password where something else is looked for.
    let document = json!([
        {"id": "t", "type": "tab"},
        {"id": "away", "type": "mqtt-broker", "broker": "mqtt://me:hunter2@127.0.0.1:1", "protocolVersion": "5"},
        {"id": "i", "z": "t", "type": "mqtt in", "topic": "a", "qos": "1", "broker": "away", "wires": [[]]},
        {"id": "bad", "type": "mqtt-broker", "broker": "mqtt://me:hunter2/x@h:1883", "protocolVersion": "5"},
        {"id": "j", "z": "t", "type": "mqtt in", "topic": "a", "qos": "1", "broker": "bad", "wires": [[]]},
        {"id": "p", "type": "http proxy", "url": "http://me:hunter2@:x"},
        {"id": "w", "type": "websocket-client", "path": "ws://me:hunter2@h:x"},
        {"id": "o", "z": "t", "type": "websocket out", "client": "w", "wires": []},
        {"id": "n", "z": "t", "type": "http request", "method": "GET", "url": "http://me:hunter2@h:x/", "ret": "txt",
         "wires": [["out"]]},
        {"id": "m", "z": "t", "type": "http request", "method": "GET", "url": "http://me:hunter2@h/{{#a}}", "ret": "txt",
         "wires": [["out"]]},
        {"id": "out", "z": "t", "type": "sink", "wires": []},
    ]);
    let report = flow.redeploy(&document, DeployMode::Full);
    flow.send("{}");
    flow.send_to("m", "{}");
    for said in ["Connection to broker ", "Bad proxy url: ", "Invalid URL: ", "in the URL "] {
        flow.line(said);
    }
    let problems: Vec<String> = report.problems.into_iter().map(|problem| problem.message).collect();
    assert!(problems.iter().any(|problem| problem.contains("\"ws://h:x\"")), "{problems:?}");
    let lines = flow.lines();
    for text in lines.iter().chain(&problems) {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
