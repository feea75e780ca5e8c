//! `flotilla deploy --type`: what restarts, and what keeps its state.

use flotilla_tests::{Up, UpOptions, get, write_flow};
use serde_json::{Value, json};

/// `GET /count` counts in a variable of the function node, which a restart loses; `mark` changes another node, on the
/// same tab or on another.
fn flow(same_tab: &str, other_tab: &str) -> Value {
    let function = |id: &str, tab: &str, func: String, next: Value| {
        json!({"id": id, "type": "function", "z": tab, "name": "", "func": func, "outputs": 1, "timeout": 0, "noerr": 0,
            "initialize": "", "finalize": "", "libs": [], "x": 200, "y": 100, "wires": [next]})
    };
    json!([
        {"id": "t1", "type": "tab", "label": "Count", "disabled": false, "info": ""},
        {"id": "t2", "type": "tab", "label": "Other", "disabled": false, "info": ""},
        {"id": "h1", "type": "http in", "z": "t1", "name": "", "url": "/count", "method": "get", "upload": false,
         "swaggerDoc": "", "x": 100, "y": 100, "wires": [["f1"]]},
        function("f1", "t1", "n = (typeof n === 'number' ? n : 0) + 1;\nmsg.payload = n + (env.get('MARK') || '');\nreturn msg;".to_owned(), json!(["r1"])),
        {"id": "r1", "type": "http response", "z": "t1", "name": "", "statusCode": "", "headers": {}, "x": 300,
         "y": 100, "wires": []},
        function("f2", "t1", format!("// {same_tab}\nreturn msg;"), json!([])),
        function("f3", "t2", format!("// {other_tab}\nreturn msg;"), json!([]))
    ])
}

fn count(up: &Up) -> String {
    get(up.http, "/count").unwrap().body
}

#[test]
fn an_unchanged_node_keeps_its_state_unless_its_flow_or_everything_restarts() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("a", "a")).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let deploy = |same: &str, other: &str, kind: &[&str]| {
        let file = write_flow(folder.path(), &flow(same, other)).unwrap();
        let path = file.to_str().unwrap();
        let args = [&["deploy", path, "--wait", "--probation", "0.2"][..], kind].concat();
        let done = up.run(&args).unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    assert_eq!((count(&up), count(&up)), ("1".to_owned(), "2".to_owned()));
    deploy("b", "a", &[]);
    assert_eq!(count(&up), "3", "only nodes that changed restart by default");
    deploy("c", "b", &["--type", "nodes"]);
    assert_eq!(count(&up), "4");
    deploy("c", "c", &["--type", "flows"]);
    assert_eq!(count(&up), "5", "another flow changed");
    deploy("d", "c", &["--type", "flows"]);
    assert_eq!(count(&up), "1", "a node of its flow changed");
    deploy("d", "d", &["--type", "nodes"]);
    assert_eq!(count(&up), "2");
    deploy("d", "e", &["--type", "full"]);
    assert_eq!(count(&up), "1", "everything restarted");
    let env = folder.path().join("env");
    std::fs::write(&env, "UNUSED=1\n").unwrap();
    deploy("d", "e", &["--env-file", env.to_str().unwrap()]);
    assert_eq!(count(&up), "2", "no node names that variable");
    std::fs::write(&env, "MARK=x\n").unwrap();
    deploy("d", "e", &["--env-file", env.to_str().unwrap()]);
    assert_eq!(count(&up), "1x", "what names the variable restarts");
    let bad = up.run(&["deploy", "x.json", "--type", "some"]).unwrap();
    assert!(String::from_utf8_lossy(&bad.stderr).contains("full, flows, nodes"));
}
