//! What a deploy restarts and what goes on, by deployment type; closing, its time-out, On Stop code.

use std::time::Duration;

use flotilla_engine::DeployMode;
use flotilla_engine::settings::Settings;
use serde_json::{Value, json};

use crate::flow::Flow;

/// Two tabs with a filter each, which remembers the last value, and a function each that says when it starts and stops;
/// in the first one also a subflow instance, and nodes that use one config node.
fn document() -> Vec<Value> {
    let says = |id: &str, tab: &str| {
        json!({"id": id, "z": tab, "type": "function", "func": "return msg", "outputs": 1, "x": 1, "y": 1,
               "initialize": format!("node.warn('start {id}')"), "finalize": format!("node.warn('stop {id}')"), "wires": [[]]})
    };
    let filter = |id: &str, tab: &str| {
        json!({"id": id, "z": tab, "type": "rbe", "func": "rbe", "property": "payload", "topi": "topic", "septopics": true,
               "x": 1, "y": 1, "wires": [["out"]]})
    };
    vec![
        json!({"id": "a", "type": "tab", "label": "A"}),
        json!({"id": "b", "type": "tab", "label": "B"}),
        json!({"id": "s", "type": "subflow", "name": "S", "in": [], "out": []}),
        says("fs", "s"),
        says("fa", "a"),
        says("fb", "b"),
        filter("ra", "a"),
        filter("rb", "b"),
        json!({"id": "i", "z": "a", "type": "subflow:s", "x": 1, "y": 1, "wires": []}),
        json!({"id": "out", "z": "a", "type": "sink", "x": 1, "y": 1, "wires": []}),
        json!({"id": "out2", "z": "a", "type": "sink", "x": 1, "y": 1, "wires": []}),
    ]
}

fn settings() -> Settings {
    Settings { workers: 1, ..Settings::default() }
}

fn flow() -> Flow {
    let flow = Flow::documented(&document().into(), settings()).unwrap();
    for node in ["i-fs", "fa", "fb"] {
        flow.line(&format!("start {}", node.trim_start_matches("i-")));
    }
    flow.send_to("ra", r#"{"payload":1}"#);
    flow.send_to("rb", r#"{"payload":1}"#);
    assert_eq!(flow.messages(2).len(), 2);
    flow
}

/// The document with one field of one node changed.
fn with(id: &str, field: &str, value: Value) -> Value {
    let mut document = document();
    let node = document.iter_mut().find(|node| node["id"] == id).unwrap();
    node[field] = value;
    document.into()
}

/// Which filters still know their last value: one that restarted lets it pass again.
fn remember(flow: &Flow) -> (bool, bool) {
    let passes = |node: &str| {
        let before = flow.settled_and_seen();
        flow.send_to(node, r#"{"payload":1}"#);
        flow.settled_and_seen() > before
    };
    (!passes("ra"), !passes("rb"))
}

/// How often functions started and stopped so far: `fs`, `fa`, `fb`.
fn starts(flow: &Flow) -> [(usize, usize); 3] {
    let count = |text: &str| flow.lines().iter().filter(|line| *line == text).count();
    ["fs", "fa", "fb"].map(|id| (count(&format!("start {id}")), count(&format!("stop {id}"))))
}

#[test]
fn a_full_deploy_restarts_everything() {
    let flow = flow();
    let report = flow.redeploy(&document().into(), DeployMode::Full);
    assert_eq!((report.kept, report.removed), (0, 0));
    assert_eq!(remember(&flow), (false, false));
    assert_eq!(starts(&flow), [(2, 1), (2, 1), (2, 1)]);
}

#[test]
fn a_deploy_of_flows_restarts_those_with_a_change() {
    let flow = flow();
    flow.redeploy(&with("fb", "func", json!("return null")), DeployMode::Flows);
    assert_eq!(remember(&flow), (true, false));
    assert_eq!(starts(&flow), [(1, 0), (1, 0), (2, 1)]);
}

#[test]
fn a_deploy_of_nodes_restarts_only_the_changed_ones() {
    let flow = flow();
    let report = flow.redeploy(&with("fb", "func", json!("return null")), DeployMode::Nodes);
    assert_eq!(report.started, 1);
    assert_eq!(remember(&flow), (true, true));
    assert_eq!(starts(&flow), [(1, 0), (1, 0), (2, 1)]);
}

#[test]
fn without_a_change_nothing_restarts() {
    for mode in [DeployMode::Flows, DeployMode::Nodes] {
        let flow = flow();
        let report = flow.redeploy(&document().into(), mode);
        assert_eq!((report.started, report.removed), (0, 0));
        assert_eq!(remember(&flow), (true, true));
        assert_eq!(starts(&flow), [(1, 0), (1, 0), (1, 0)]);
    }
}

#[test]
fn a_new_place_and_new_wires_are_no_restart() {
    let flow = flow();
    flow.redeploy(&with("ra", "x", json!(99)), DeployMode::Nodes);
    flow.redeploy(&with("ra", "wires", json!([["out", "out2"]])), DeployMode::Nodes);
    assert_eq!(remember(&flow), (true, true));
    let before = flow.settled_and_seen();
    flow.send_to("ra", r#"{"payload":2}"#);
    assert_eq!(flow.settled_and_seen(), before + 2, "both wires are there");
}

#[test]
fn a_change_inside_of_a_subflow_restarts_what_is_inside_of_its_instances() {
    let flow = flow();
    flow.redeploy(&with("fs", "func", json!("return null")), DeployMode::Nodes);
    assert_eq!(remember(&flow), (true, true));
    assert_eq!(starts(&flow), [(2, 1), (1, 0), (1, 0)]);
    let changed = with("fs", "func", json!("return [null]"));
    flow.redeploy(&changed, DeployMode::Flows);
    assert_eq!(remember(&flow), (false, true), "the tab with the instance has a change");
}

#[test]
fn whoever_uses_a_config_node_restarts_with_it() {
    let nodes = |path: &str| {
        json!([{"id": "t", "type": "tab", "label": "T"},
            {"id": "c", "type": "websocket-listener", "path": path, "wholemsg": "false"},
            {"id": "w", "z": "t", "type": "websocket in", "server": "c", "x": 1, "y": 1, "wires": [["out"]]},
            {"id": "r", "z": "t", "type": "rbe", "func": "rbe", "property": "payload", "x": 1, "y": 1, "wires": [["out"]]},
            {"id": "out", "z": "t", "type": "sink", "x": 1, "y": 1, "wires": []}])
    };
    let flow = Flow::documented(&nodes("/one"), settings()).unwrap();
    let report = flow.redeploy(&nodes("/two"), DeployMode::Nodes);
    assert_eq!((report.started, report.kept), (2, 2));
}

#[test]
fn what_is_removed_stops_and_forgets() {
    let flow = flow();
    flow.send_to("fa", r#"{"payload":1}"#);
    let rest: Vec<Value> = document().into_iter().filter(|node| node["id"] != "fa").collect();
    let report = flow.redeploy(&rest.into(), DeployMode::Nodes);
    assert_eq!((report.started, report.removed), (0, 1));
    assert_eq!(starts(&flow), [(1, 0), (1, 1), (1, 0)]);
    assert_eq!(remember(&flow), (true, true));
}

#[test]
fn context_outlives_a_restart_and_ends_with_its_node() {
    let counts = |func: &str| {
        json!([{"id": "t", "type": "tab", "label": "T"},
            {"id": "f", "z": "t", "type": "function", "func": func, "outputs": 1, "x": 1, "y": 1, "wires": [["out"]]},
            {"id": "out", "z": "t", "type": "sink", "x": 1, "y": 1, "wires": []}])
    };
    let add = "const n = (context.get('n') || 0) + 1; context.set('n', n); return {payload: n}";
    let flow = Flow::documented(&counts(add), settings()).unwrap();
    flow.send_to("f", "{}");
    flow.redeploy(&counts(&format!("{add};")), DeployMode::Full);
    flow.send_to("f", "{}");
    assert_eq!(flow.payloads(2), "[1,2]");
    flow.redeploy(&json!([{"id": "t", "type": "tab", "label": "T"}]), DeployMode::Nodes);
    flow.redeploy(&counts(add), DeployMode::Nodes);
    flow.send_to("f", "{}");
    assert_eq!(flow.payloads(3), "[1,2,1]");
}

/// A function whose `close` listener calls `done` after so many milliseconds.
fn slow(ms: u32) -> Value {
    let listens = format!(
        "node.on('close', function(removed, done) {{ setTimeout(() => {{ node.warn('closed ' + removed); done() }}, {ms}) }}); return msg"
    );
    json!([{"id": "t", "type": "tab", "label": "T"},
        {"id": "f", "z": "t", "type": "function", "outputs": 1, "x": 1, "y": 1, "wires": [["out"]], "func": listens,
         "finalize": "node.warn('on stop')"},
        {"id": "g", "z": "t", "type": "function", "outputs": 1, "x": 1, "y": 1, "wires": [[]], "func": "return msg",
         "initialize": "node.warn('start g')", "finalize": "node.warn('stop g'); throw new Error('broken stop')"},
        {"id": "out", "z": "t", "type": "sink", "x": 1, "y": 1, "wires": []}])
}

/// Such a flow, once its listener is there.
fn listening(ms: u32, settings: Settings) -> Flow {
    let flow = Flow::documented(&slow(ms), settings).unwrap();
    flow.send_to("f", "{}");
    assert_eq!(flow.messages(1).len(), 1);
    flow
}

#[test]
fn a_close_listener_that_takes_done_is_waited_for() {
    let flow = listening(50, settings());
    flow.redeploy(&slow(50), DeployMode::Full);
    let lines = flow.lines();
    let at = |text: &str| {
        lines.iter().rposition(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text}: {lines:?}"))
    };
    assert!(at("closed false") < at("start g"), "the old flow is closed before the new one starts: {lines:?}");
    assert!(at("on stop") < at("start g"));
    assert!(lines.iter().any(|line| line.contains("broken stop")), "an error of On Stop code is told: {lines:?}");
    assert!(!lines.iter().any(|line| line.contains("timed out")));
}

#[test]
fn a_node_that_does_not_close_is_given_up_after_the_time_out() {
    assert_eq!(Settings::default().node_close_timeout, Duration::from_secs(15), "as Node-RED's nodeCloseTimeout");
    let hurried = Settings { node_close_timeout: Duration::from_millis(100), ..settings() };
    let flow = listening(3_600_000, hurried);
    flow.redeploy(&slow(3_600_000), DeployMode::Full);
    let lines = flow.lines();
    let at = |text: &str| {
        lines.iter().rposition(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text}: {lines:?}"))
    };
    assert!(at("Close timed out") < at("start g"), "the rest is deployed: {lines:?}");
    assert!(at("stop g") < at("start g"));
    assert!(!lines.iter().any(|line| line.contains("closed ")), "{lines:?}");
}
