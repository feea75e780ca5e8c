//! Whatever comes in a message or stands in a document: no node panics.

use std::sync::atomic::{AtomicUsize, Ordering};

use flotilla_runtime::types;
use flotilla_value::{Object, Value};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use crate::flow::Flow;
use crate::parser::payload;

/// Panics on worker threads, also of tasks that a node left behind.
pub static PANICS: AtomicUsize = AtomicUsize::new(0);

pub fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name().is_some_and(|name| name.starts_with("worker-")) {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        before(panic);
    }));
}

/// Types that reach out of the process by what a message or a field says have tests of their own (`damage_network.rs`).
fn is_contained(kind: &str) -> bool {
    let types = types();
    let outside = ["mqtt", "http", "tcp", "udp", "websocket", "exec", "tls"];
    types.get(kind).is_some_and(|known| known.deny().is_none()) && !outside.iter().any(|word| kind.starts_with(word))
}

/// One node of each type, with what the editor writes for the more demanding ones.
fn document() -> Vec<Json> {
    let mut nodes = vec![
        json!({"id": "t", "type": "tab", "label": "tab", "env": [{"name": "E", "type": "num", "value": "1"}]}),
        json!({"id": "s", "type": "subflow", "name": "S", "in": [{"x": 1, "y": 1, "wires": [{"id": "sf"}]}],
               "out": [{"x": 1, "y": 1, "wires": [{"id": "sf", "port": 0}]}], "env": []}),
        json!({"id": "sf", "z": "s", "type": "function", "func": "return msg", "outputs": 1, "x": 1, "y": 1, "wires": [[]]}),
        json!({"id": "i", "z": "t", "type": "subflow:s", "x": 1, "y": 1, "g": "g", "wires": [["out"]]}),
        json!({"id": "g", "z": "t", "type": "group", "nodes": ["i"], "x": 1, "y": 1}),
        json!({"id": "out", "z": "t", "type": "sink", "x": 1, "y": 1, "wires": []}),
    ];
    let types = types();
    for kind in types.names().filter(|kind| is_contained(kind)) {
        let mut node = match kind {
            "function" => json!({"func": "msg.n = msg.payload; return msg", "outputs": 1}),
            "change" => json!({"rules": [{"t": "set", "p": "a.b", "pt": "msg", "to": "payload", "tot": "msg"},
                {"t": "change", "p": "payload", "pt": "msg", "from": "a", "fromt": "str", "to": "1", "tot": "num"},
                {"t": "set", "p": "j", "pt": "msg", "to": "$keys(payload)", "tot": "jsonata"}]}),
            "switch" => json!({"property": "payload", "propertyType": "msg", "outputs": 1, "checkall": "true",
                "rules": [{"t": "lt", "v": "1", "vt": "num"}, {"t": "regex", "v": "a", "vt": "str"}, {"t": "hask", "v": "a", "vt": "str"},
                          {"t": "head", "v": "2", "vt": "num"}, {"t": "jsonata_exp", "v": "payload > 1", "vt": "jsonata"}]}),
            "template" => {
                json!({"field": "payload", "fieldType": "msg", "syntax": "mustache", "template": "{{payload.a}}", "output": "str"})
            }
            "inject" => {
                json!({"props": [{"p": "payload"}, {"p": "topic", "vt": "str"}], "payloadType": "date", "repeat": "", "once": false})
            }
            "range" => json!({"minin": "0", "maxin": "1", "minout": "0", "maxout": "9", "action": "roll"}),
            "delay" => {
                json!({"pauseType": "rate", "rate": "1", "nbRateUnits": "1", "rateUnits": "second", "allowrate": true})
            }
            "trigger" => {
                json!({"op1": "1", "op1type": "val", "op2": "0", "op2type": "val", "duration": "1", "units": "ms"})
            }
            "rbe" => json!({"func": "deadband", "gap": "1%", "property": "payload"}),
            "smooth" => json!({"action": "sd", "count": "3", "property": "payload"}),
            "split" => json!({"splt": "\\n", "spltType": "str", "arraySplt": 1, "property": "payload"}),
            "join" => {
                json!({"mode": "custom", "build": "merged", "count": "2", "property": "payload", "propertyType": "msg"})
            }
            "batch" => json!({"mode": "count", "count": 2, "overlap": 1}),
            "sort" => {
                json!({"target": "payload", "targetType": "msg", "msgKey": "payload", "msgKeyType": "elem", "order": "ascending"})
            }
            "html" => json!({"tag": "a", "ret": "compl", "as": "multi"}),
            "link call" => json!({"linkType": "dynamic", "timeout": "0.01"}),
            _ => json!({}),
        };
        node["id"] = format!("n {kind}").into();
        node["type"] = kind.into();
        node["z"] = "t".into();
        node["wires"] = json!([["out"]]);
        if kind != "global-config" {
            node["x"] = 1.into();
            node["y"] = 1.into();
        }
        nodes.push(node);
    }
    nodes
}

fn ids(document: &[Json]) -> Vec<String> {
    document.iter().filter_map(|node| node["id"].as_str()).map(str::to_owned).collect()
}

#[test]
fn messages_of_every_kind_harm_no_node() {
    count_panics();
    let nodes = document();
    let flow = Flow::new(&json!(nodes).to_string());
    let ids = ids(&nodes);
    let part = || prop_oneof![3 => payload(), 1 => Just(Value::Undefined)];
    let mut runner = TestRunner::new(ProptestConfig::with_cases(48));
    let checked =
        runner.run(&(payload(), part(), part(), part(), part()), |(payload, parts, topic, delay, columns)| {
            let msg: Object = [
                ("payload", payload),
                ("parts", parts),
                ("topic", topic.clone()),
                ("delay", delay.clone()),
                ("rate", delay),
                ("columns", columns.clone()),
                ("select", columns.clone()),
                ("template", columns.clone()),
                ("target", topic),
                ("options", columns),
            ]
            .into_iter()
            .collect();
            flow.send_everywhere(&ids, &Value::from(msg));
            prop_assert_eq!(PANICS.load(Ordering::SeqCst), 0);
            Ok(())
        });
    flow.send_everywhere(&ids, &Value::from([("reset", true)].into_iter().collect::<Object>()));
    flow.settled();
    assert!(checked.is_ok(), "{checked:?}");
    assert_eq!((flow.panics(), PANICS.load(Ordering::SeqCst)), (Vec::new(), 0));
}

pub fn junk() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[ -~é]{0,12}".prop_map(Json::from),
        prop::sample::select(vec![
            "t",
            "s",
            "sf",
            "i",
            "g",
            "out",
            "n link in",
            "${E}",
            "msg",
            "jsonata",
            "subflow:s",
            "-1",
            "1e9"
        ])
        .prop_map(Json::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::vec(("[a-z]{1,5}", inner), 0..3)
                .prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
        ]
    })
}

#[test]
fn damaged_documents_harm_nobody() {
    count_panics();
    let sound = document();
    let flow = Flow::new(&json!(sound).to_string());
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), junk()), 1..12);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let checked = runner.run(&damage, |damage| {
        let mut nodes = sound.clone();
        for (node, field, junk) in damage {
            let node = node.get_mut(&mut nodes);
            let Some(fields) = node.as_object_mut() else { continue };
            let names: Vec<String> = fields.keys().cloned().collect();
            fields.insert(field.get(&names).clone(), junk);
        }
        flow.deploy(&json!(nodes));
        let msg: Object = [("payload", "x")].into_iter().collect();
        flow.send_everywhere(&ids(&nodes), &Value::from(msg));
        prop_assert_eq!(PANICS.load(Ordering::SeqCst), 0);
        Ok(())
    });
    assert!(checked.is_ok(), "{checked:?}");
    assert!(flow.deploy(&json!(sound)), "a sound document runs after any damaged one");
    assert_eq!((flow.panics(), PANICS.load(Ordering::SeqCst)), (Vec::new(), 0));
}
