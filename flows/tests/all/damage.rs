//! Whatever a flow document says: it is read or refused, and nothing here panics.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

use flotilla_flows::{Document, diff, expand, npm_package, read_credentials, review, substitute_env};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A document with everything that has rules of its own: tabs, groups in groups, subflows in subflows with status
/// outputs and variables, config nodes, links, catch and complete nodes, functions with context, timers, listeners.
fn sound() -> Vec<Value> {
    let document = json!([
        {"id": "t", "type": "tab", "label": "Tab", "env": [{"name": "E", "type": "str", "value": "${F}"}]},
        {"id": "u", "type": "tab", "label": "Off", "disabled": true},
        {"id": "g", "type": "group", "z": "t", "name": "outer", "nodes": ["h"], "env": [{"name": "G", "type": "num", "value": "1"}]},
        {"id": "h", "type": "group", "z": "t", "g": "g", "nodes": ["f"]},
        {"id": "s", "type": "subflow", "name": "S", "in": [{"wires": [{"id": "sf"}]}],
         "out": [{"wires": [{"id": "sf", "port": 0}, {"id": "s", "port": 0}]}], "status": {"wires": [{"id": "sf", "port": 0}]},
         "env": [{"name": "E", "type": "cred", "value": ""}]},
        {"id": "sf", "type": "function", "z": "s", "func": "flow.set('n', env.get('E')); return msg", "x": 1, "y": 1, "wires": [["ss"]]},
        {"id": "ss", "type": "subflow:r", "z": "s", "x": 1, "y": 1, "wires": [[]]},
        {"id": "r", "type": "subflow", "name": "R", "in": [{"wires": [{"id": "rf"}]}], "out": []},
        {"id": "rf", "type": "join", "z": "r", "mode": "custom", "count": "2", "x": 1, "y": 1, "wires": [[]]},
        {"id": "i", "type": "subflow:s", "z": "t", "g": "h", "x": 1, "y": 1, "env": [{"name": "E", "type": "str", "value": "own"}], "wires": [["f"]]},
        {"id": "b", "type": "mqtt-broker", "broker": "${HOST}", "port": "1883", "clientid": "fixed"},
        {"id": "m", "type": "mqtt in", "z": "t", "topic": "a/#", "qos": "2", "broker": "b", "x": 1, "y": 1, "wires": [["f", "i"]]},
        {"id": "f", "type": "function", "z": "t", "g": "h", "func": "context.set('n', 1); global.get('x'); setInterval(() => {}, 9)",
         "libs": [{"var": "m", "module": "moment"}], "x": 1, "y": 1, "wires": [["o"], ["d"]]},
        {"id": "o", "type": "mqtt out", "z": "t", "broker": "b", "x": 1, "y": 1, "wires": []},
        {"id": "d", "type": "delay", "z": "t", "pauseType": "rate", "rate": "1", "x": 1, "y": 1, "wires": [["l"]]},
        {"id": "l", "type": "link out", "z": "t", "links": ["k"], "mode": "link", "x": 1, "y": 1, "wires": []},
        {"id": "k", "type": "link in", "z": "t", "links": ["l"], "x": 1, "y": 1, "wires": [["c"]]},
        {"id": "c", "type": "complete", "z": "t", "scope": ["f", "i"], "x": 1, "y": 1, "wires": [[]]},
        {"id": "e", "type": "catch", "z": "t", "scope": "group", "uncaught": true, "x": 1, "y": 1, "wires": [[]]},
        {"id": "n", "type": "inject", "z": "t", "repeat": "60", "crontab": "", "once": true, "x": 1, "y": 1, "wires": [["f"]]},
        {"id": "w", "type": "tcp in", "z": "t", "server": "server", "port": "9", "x": 1, "y": 1, "wires": [[]]},
        {"id": "y", "type": "file", "z": "t", "filename": "/tmp/${E}", "x": 1, "y": 1, "wires": [[]]},
        {"id": "v", "type": "global-config", "env": [{"name": "F", "type": "jsonata", "value": "$now()"}]},
        {"id": "x", "type": "modbus-read", "z": "t", "x": 1, "y": 1, "wires": [[]]}
    ]);
    document.as_array().unwrap().clone()
}

/// JSON of every kind; many texts are ids, types and fields that mean something.
fn junk() -> impl Strategy<Value = Value> {
    let words = [
        "t",
        "s",
        "r",
        "i",
        "g",
        "h",
        "f",
        "sf",
        "subflow:s",
        "subflow:r",
        "subflow:",
        "subflow",
        "tab",
        "group",
        "function",
        "inject",
        "mqtt in",
        "${E}",
        "${",
        "${${E}}",
        "msg",
        "",
        "-1",
        "1e999",
        "NaN",
        "\u{0}",
        "é😀",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let fields = prop::sample::select(vec![
            "id",
            "port",
            "wires",
            "name",
            "type",
            "value",
            "scope",
            "links",
            "env",
            "flows",
            "credentials",
            "$",
            "ha",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((fields, inner), 0..4).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

/// What is done to a document.
#[derive(Clone, Debug)]
enum Damage {
    /// A field has another value.
    Replace(prop::sample::Index, prop::sample::Index, Value),
    /// A field is gone.
    Remove(prop::sample::Index, prop::sample::Index),
    /// An entry is something else.
    Entry(prop::sample::Index, Value),
    /// An entry is there twice.
    Twice(prop::sample::Index),
    /// A node refers to any other: as its tab, its group, its type, or where it is wired to.
    Refer(prop::sample::Index, prop::sample::Index, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), at(), junk()).prop_map(|(entry, field, value)| Damage::Replace(entry, field, value)),
        2 => (at(), at()).prop_map(|(entry, field)| Damage::Remove(entry, field)),
        1 => (at(), junk()).prop_map(|(entry, value)| Damage::Entry(entry, value)),
        1 => at().prop_map(Damage::Twice),
        3 => (at(), at(), prop::sample::select(vec!["z", "g", "id", "type", "wires"]))
            .prop_map(|(entry, other, field)| Damage::Refer(entry, other, field)),
    ]
}

fn apply(entries: &mut Vec<Value>, damage: &Damage) {
    let fields =
        |entry: &Value| entry.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    match damage {
        Damage::Replace(entry, field, value) => {
            let entry = entry.get_mut(entries);
            let names = fields(entry);
            if !names.is_empty() {
                entry[field.get(&names)] = value.clone();
            }
        }
        Damage::Remove(entry, field) => {
            let entry = entry.get_mut(entries);
            let names = fields(entry);
            if let (false, Some(map)) = (names.is_empty(), entry.as_object_mut()) {
                map.remove(field.get(&names));
            }
        }
        Damage::Entry(entry, value) => *entry.get_mut(entries) = value.clone(),
        Damage::Twice(entry) => entries.push(entry.get(entries).clone()),
        Damage::Refer(entry, other, field) => {
            let id = other.get(entries)["id"].as_str().unwrap_or_default().to_owned();
            let entry = entry.get_mut(entries);
            if entry.is_object() {
                entry[*field] = match *field {
                    "type" => json!(format!("subflow:{id}")),
                    "wires" => json!([[id]]),
                    _ => json!(id),
                };
            }
        }
    }
}

/// Everything that is done with a document before it runs.
fn exercise(value: Value) {
    diff(&value, &Value::from(sound()));
    let Ok(document) = Document::from_value(value) else { return };
    let expanded = expand(&document);
    for node in &expanded.graph.nodes {
        assert!(node.scope < expanded.graph.scopes.len(), "every node is in a scope");
        let env = |name: &str| (name != "HOST").then(|| json!({"nested": name}));
        substitute_env(&node.config.props, &env);
        let _ = npm_package(&node.config.kind);
    }
    for (at, scope) in expanded.graph.scopes.iter().enumerate() {
        assert!(scope.parent.is_none_or(|parent| parent < at), "a parent comes before its children");
    }
    expanded.problems.iter().for_each(|problem| assert!(!problem.to_string().is_empty()));
    review(&document).iter().for_each(|finding| assert!(!finding.what.is_empty()));
    let (before, after) = (Value::from(sound()), document.to_value());
    diff(&before, &after);
    diff(&after, &before);
    let _ = read_credentials(&Value::Object(document.credentials.clone()), Some("secret"));
    assert_eq!(Document::from_value(document.to_value()).unwrap().entries(), document.entries());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damaged_documents_are_read_or_refused(damage in prop::collection::vec(damage(), 0..16)) {
        let mut entries = sound();
        damage.iter().for_each(|damage| apply(&mut entries, damage));
        exercise(entries.into());
    }

    #[test]
    fn any_json_is_read_or_refused(value in junk()) {
        exercise(value.clone());
        exercise(json!([value]));
        exercise(json!({"flows": [value.clone()], "credentials": value}));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,64}", cut in any::<prop::sample::Index>(), with in "[\\[\\]{}\",:\\\\0-9a-z]{0,6}") {
        let _ = Document::parse(&text);
        let whole = Value::from(sound()).to_string();
        let chars: Vec<char> = whole.chars().collect();
        let at = cut.index(chars.len());
        let torn: String = chars[..at].iter().copied().chain(with.chars()).chain(chars[at..].iter().copied().skip(with.len())).collect();
        if let Ok(document) = Document::parse(&torn) {
            exercise(document.to_value());
        }
    }

    #[test]
    fn any_credentials_are_read_or_refused(value in junk(), text in "[A-Za-z0-9+/=]{0,80}", secret in "\\PC{0,8}") {
        let _ = read_credentials(&value, Some(&secret));
        let _ = read_credentials(&json!({"$": text}), Some(&secret));
        let _ = read_credentials(&json!({"$": value}), None);
        let mut props = Map::new();
        props.insert("a".to_owned(), value.clone());
        substitute_env(&props, &|_| Some(value.clone()));
    }
}

#[test]
fn the_sound_document_is_sound() {
    let document = Document::from_value(sound().into()).unwrap();
    let expanded = expand(&document);
    assert!(expanded.problems.is_empty(), "{:?}", expanded.problems);
    assert!(expanded.graph.nodes.iter().any(|node| node.config.id == "i-ss-rf"));
    assert!(!review(&document).is_empty());
}

#[test]
fn subflows_that_unfold_without_end_are_refused() {
    let chain = |length: usize, each: usize| {
        let mut entries = vec![json!({"id": "t", "type": "tab"})];
        for at in 0..length {
            entries.push(json!({"id": format!("s{at}"), "type": "subflow"}));
            for twin in 0..each {
                let z = if at == 0 { "t".to_owned() } else { format!("s{}", at - 1) };
                entries.push(
                    json!({"id": format!("i{at}x{twin}"), "type": format!("subflow:s{at}"), "z": z, "x": 1, "y": 1}),
                );
            }
        }
        expand(&Document::from_value(entries.into()).unwrap())
    };
    assert!(chain(50, 1).problems.is_empty());
    assert!(chain(5000, 1).problems[0].message.contains("deep"));
    let wide = chain(40, 4);
    assert!(wide.problems[0].message.contains("unfold"), "{:?}", wide.problems);
    assert!(wide.graph.nodes.len() < 300_000);
}
