//! Input that is made to use up time or memory: an error that catch nodes read, or done in linear time.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use flotilla_engine::settings::Settings;
use flotilla_value::Value;
use serde_json::{Value as Json, json};

use crate::flow::Flow;

/// Far more than any of these takes, and far less than what took quadratic time.
const SOON: Duration = Duration::from_secs(20);

/// A node `n` whose errors come out as text, and whose messages come out as their payload's type.
fn caught(node: &Json) -> Flow {
    let mut node = node.clone();
    (node["id"], node["z"], node["wires"]) = ("n".into(), "t".into(), json!([["out"]]));
    let settings = Settings { workers: 1, ..Settings::default() };
    Flow::documented(
        &json!([
            {"id": "t", "type": "tab", "label": "tab"},
            node,
            {"id": "c", "z": "t", "type": "catch", "scope": null, "wires": [["out"]]},
            {"id": "out", "z": "t", "type": "sink", "wires": []},
        ]),
        settings,
    )
    .expect("the test's own flow is sound")
}

/// The error that comes of a payload.
fn error_of(node: &Json, payload: Value) -> String {
    let began = Instant::now();
    let flow = caught(node);
    flow.send_payload(payload);
    let found = flow.first(|msg| msg.get("error").get("message").as_str().map(str::to_owned));
    assert!(began.elapsed() < SOON, "{node}: {:?}", began.elapsed());
    found
}

/// Answers when the first message came out of the node.
fn passes(node: &Json, payload: Value) {
    let began = Instant::now();
    let flow = caught(node);
    flow.send_payload(payload);
    let error = flow.first(|msg| Some(msg.get("error").get("message").to_text()));
    assert_eq!(error, "undefined");
    assert!(began.elapsed() < SOON, "{node}: {:?}", began.elapsed());
}

#[test]
fn a_split_into_millions_of_parts_is_an_error() {
    let split = json!({"type": "split", "splt": "\\n", "spltType": "str", "arraySplt": 1, "property": "payload"});
    let text = error_of(&split, Value::from("\n".repeat(4 << 20)));
    assert!(text.contains("4194305 parts") && text.contains("splitMaxParts"), "{text}");
}

#[test]
fn xml_with_many_attributes_is_read_in_linear_time() {
    let mut xml = "<a".to_owned();
    (0..300_000).for_each(|number| write!(xml, " a{number}=\"1\"").unwrap());
    xml.push_str("/>");
    passes(&json!({"type": "xml", "property": "payload"}), Value::from(xml));
    let mut spaces = "<a".to_owned();
    (0..1000).for_each(|number| write!(spaces, " xmlns:a{number}=\"u\"").unwrap());
    spaces.push_str("/>");
    passes(&json!({"type": "xml", "property": "payload"}), Value::from(spaces));
}

#[test]
fn yaml_that_merges_the_same_properties_again_and_again_is_an_error() {
    let mut yaml = "base: &b {".to_owned();
    (0..2000).for_each(|number| write!(yaml, "k{number}: 1, ").unwrap());
    yaml.push_str("}\nall:\n");
    (0..2000).for_each(|_| yaml.push_str("  - {<<: *b}\n"));
    let text = error_of(&json!({"type": "yaml", "property": "payload"}), Value::from(yaml));
    assert!(text.contains("merge keys (<<) bring in more than 1000000"), "{text}");
}

#[test]
fn jsonata_that_uses_up_memory_is_stopped() {
    for expression in ["[1..1000].[[1..1000000]]", "($f := function($s) {$f($s & $s)}; $f('aaaa'))"] {
        let node = json!({"type": "change", "rules": [{"t": "set", "p": "payload", "pt": "msg", "to": expression, "tot": "jsonata"}]});
        let text = error_of(&node, Value::from(1.0));
        assert!(
            text.contains("of memory") || text.contains("stack") || text.contains("timeout"),
            "{expression}: {text}"
        );
    }
}

#[test]
fn patterns_that_go_back_and_forth_for_ever_are_errors() {
    let text = format!("{}b", "a".repeat(40));
    let jsonata = |expression: &str| json!({"type": "change", "rules": [{"t": "set", "p": "payload", "pt": "msg", "to": expression, "tot": "jsonata"}]});
    for node in [
        json!({"type": "switch", "property": "payload", "propertyType": "msg", "checkall": "true", "outputs": 1,
               "rules": [{"t": "regex", "v": "(a+)+$", "vt": "str", "case": false}]}),
        json!({"type": "change", "rules": [{"t": "change", "p": "payload", "pt": "msg", "from": "(a+)+$", "fromt": "re",
               "to": "x", "tot": "str"}]}),
        // With what only the engine that goes back and forth has, where it costs nothing; the rest is linear. JSONata's other
        // functions have tests of their own, with fewer steps.
        jsonata("$match(payload, /(a+)+$(?!b)/)"),
    ] {
        let error = error_of(&node, Value::from(text.as_str()));
        assert!(error.contains("too many steps") || error.contains("more than 100000000 steps"), "{node}: {error}");
    }
    passes(&jsonata("$match(payload, /(a+)+$/)"), Value::from(text.as_str()));
}

#[test]
fn what_a_function_sends_and_stores_is_bounded() {
    for code in [
        "for (;;) node.send({payload: 'x'.repeat(1 << 20)});",
        "for (let n = 0;; n++) flow.set('k' + n, 'x'.repeat(1 << 20));",
        "const many = Array.from({length: 1000}, (_, n) => n); for (;;) node.send({payload: many});",
    ] {
        let text = error_of(&json!({"type": "function", "func": code, "outputs": 1}), Value::from(1.0));
        assert!(text.contains("sent or stored more than 256 MB"), "{code}: {text}");
    }
}

#[test]
fn many_keys_leave_a_function_in_linear_time() {
    let code = "const all = {}; for (let n = 0; n < 400000; n++) all['k' + n] = 1; return {payload: all};";
    passes(&json!({"type": "function", "func": code, "outputs": 1}), Value::from(1.0));
}

#[test]
fn an_interval_whose_function_hangs_is_stopped() {
    let code = "let runs = 0; setInterval(() => { runs++; context.set('runs', runs); for (;;) {} }, 1); \
                if (msg.payload === 'count') { msg.payload = context.get('runs'); return msg; }";
    let node = json!({"type": "function", "func": code, "outputs": 1, "timeout": 0.2});
    let flow = caught(&node);
    flow.send_payload(Value::from("start"));
    let text = flow.first(|msg| msg.get("error").get("message").as_str().map(str::to_owned));
    assert!(text.contains("timed out"), "{text}");
    flow.line("the interval is stopped");
}
