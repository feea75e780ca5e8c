//! A document that is split and joined again is the same document, and changes of two people meet.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

use flotilla_flows::{Document, JoinError, SplitFile, join, merge, split};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Entries of all kinds, on tabs that are there and on tabs that are not, with texts of several lines and awkward names
/// of fields, in any order.
fn documents() -> impl Strategy<Value = Document> {
    let kinds = ["tab", "tab", "subflow", "group", "junction", "mqtt-broker", "function", "function", "inject"];
    let ids = ["a", "b", "c", "d/..", "é ", "f.1", "g", "h", "i", "j", "k"];
    let names = ["func", "info", "func#lines", "x#raw", "x", "label", "wires", "a#lines#raw"];
    let value = prop_oneof![
        Just(json!("one\ntwo\n")),
        Just(json!("\n")),
        Just(json!(["one", "two"])),
        Just(json!([])),
        Just(json!(1.5)),
        Just(json!({"a\n": "b\n"})),
        "[a\n\r\u{1}]{0,6}".prop_map(Value::from),
    ];
    let entry = (
        proptest::sample::select(ids.to_vec()),
        proptest::sample::select(kinds.to_vec()),
        proptest::sample::select(ids.to_vec()),
        proptest::collection::vec((proptest::sample::select(names.to_vec()), value), 0..5),
    );
    let props = entry.prop_map(|(id, kind, z, fields)| {
        let mut props = Map::from_iter([("id".to_owned(), json!(id)), ("type".to_owned(), json!(kind))]);
        if !matches!(kind, "tab" | "subflow" | "mqtt-broker") {
            props.insert("z".to_owned(), json!(z));
        }
        props.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Value::Object(props)
    });
    proptest::collection::vec(props, 0..14).prop_map(|list| Document::from_value(Value::Array(list)).unwrap())
}

proptest! {
    #[test]
    fn a_document_that_is_split_and_joined_is_the_same(document in documents()) {
        let files = split(&document);
        let joined = join(&files).unwrap();
        // As text: the order of entries and of fields is the same, too, so that the revision is.
        prop_assert_eq!(joined.to_string(), document.to_value().to_string());
        prop_assert_eq!(split(&Document::from_value(joined).unwrap()), files);
    }

    #[test]
    fn a_merge_with_one_who_changed_nothing_is_the_other(base in documents(), ours in documents()) {
        let merged = merge(&base, &ours, &base);
        prop_assert_eq!(&merged.flows, &ours.to_value());
        let merged = merge(&base, &base, &ours);
        let sorted = |value: Value| {
            let mut list = value.as_array().unwrap().clone();
            list.sort_by_key(|entry| entry["id"].to_string());
            list
        };
        prop_assert_eq!(sorted(merged.flows), sorted(ours.to_value()));
    }
}

fn plant() -> Value {
    json!([
        {"id": "t1", "type": "tab", "label": "Presses"},
        {"id": "t2", "type": "tab", "label": "Ovens"},
        {"id": "s1", "type": "subflow", "name": "Scale"},
        {"id": "b1", "type": "mqtt-broker", "broker": "hall"},
        {"id": "f1", "type": "function", "z": "t1", "name": "calc", "func": "let a = 1;\nreturn msg;", "x": 1, "y": 1, "wires": [["d1"]]},
        {"id": "d1", "type": "debug", "z": "t1", "x": 2, "y": 1, "wires": []},
        {"id": "f2", "type": "function", "z": "t2", "name": "heat", "func": "return msg;", "x": 1, "y": 1, "wires": [[]]},
        {"id": "f3", "type": "function", "z": "s1", "func": "return msg;", "x": 1, "y": 1, "wires": [[]]}
    ])
}

fn document(value: Value) -> Document {
    Document::from_value(value).unwrap()
}

#[test]
fn there_is_a_file_a_tab_and_lines_of_functions_are_lines() {
    let files = split(&document(plant()));
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        ["flotilla-flows.json", "global.json", "subflows/scale.s1.json", "tabs/ovens.t2.json", "tabs/presses.t1.json"],
        "what the editor saves needs no file for the order"
    );
    let presses = files.iter().find(|file| file.path.contains("presses")).unwrap();
    assert!(
        presses.text.contains("\"func#lines\": [\n      \"let a = 1;\",\n      \"return msg;\"\n    ]"),
        "{}",
        presses.text
    );
}

#[test]
fn files_that_were_merged_or_edited_by_hand_are_read_or_refused_by_name() {
    let mut files = split(&document(plant()));
    let tab = json!([{"id": "t3", "type": "tab", "label": "New"}, {"id": "n", "type": "debug", "z": "t3", "x": 1}]);
    files.push(SplitFile { path: "tabs/new.t3.json".to_owned(), text: tab.to_string() });
    files.push(SplitFile { path: "README.md".to_owned(), text: "not a flow".to_owned() });
    let ids: Vec<String> =
        join(&files).unwrap().as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["t1", "t2", "t3", "s1", "b1", "f1", "d1", "f2", "n", "f3"]);
    files.push(SplitFile { path: "tabs/other.t3.json".to_owned(), text: tab.to_string() });
    assert!(matches!(join(&files), Err(JoinError::Twice { id, .. }) if id == "t3"));
    files.pop();
    files[3].text = "[\n<<<<<<< HEAD\n".to_owned();
    assert!(matches!(join(&files), Err(JoinError::Unreadable { line: 2, reason, .. }) if reason.contains("conflict")));
    files[0].text = r#"{"format": 2, "tabs": []}"#.to_owned();
    assert_eq!(join(&files), Err(JoinError::Newer(2)));
    assert_eq!(join(&files[1..]), Err(JoinError::NoManifest));
}

/// The plant with one change.
fn changed(change: impl Fn(&mut Vec<Value>)) -> Document {
    let mut list = plant().as_array().unwrap().clone();
    change(&mut list);
    document(Value::Array(list))
}

#[test]
fn changes_on_two_tabs_and_of_two_fields_meet() {
    let ours = changed(|list| {
        list[4]["func"] = json!("return null;");
        list[6]["x"] = json!(7);
        list.push(json!({"id": "n1", "type": "debug", "z": "t1", "x": 1}));
        list[4]["wires"] = json!([["d1", "n1"]]);
    });
    let theirs = changed(|list| {
        list[4]["name"] = json!("calculate");
        list[4]["wires"] = json!([["n2"]]);
        list[6]["func"] = json!("return [msg];");
        list[6]["x"] = json!(9);
        list.insert(7, json!({"id": "n2", "type": "debug", "z": "t2", "x": 1}));
        list.remove(5);
    });
    let merged = merge(&document(plant()), &ours, &theirs);
    assert_eq!(merged.conflicts, []);
    let merged = document(merged.flows);
    let node = |id: &str| merged.get(id).unwrap();
    assert_eq!((node("f1").str("func"), node("f1").str("name")), ("return null;", "calculate"));
    assert_eq!(node("f1").wires, [vec!["n1".to_owned(), "n2".to_owned()]]);
    assert_eq!((node("f2").str("func"), node("f2").get("x")), ("return [msg];", Some(&json!(7))));
    assert!(merged.get("d1").is_none(), "one removed it, the other did not touch it");
    assert!(merged.get("n1").is_some() && merged.get("n2").is_some());
}

#[test]
fn what_both_changed_in_different_ways_is_named() {
    let told = |ours: Document, theirs: Document| {
        let merged = merge(&document(plant()), &ours, &theirs);
        merged.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let set = |at: usize, field: &'static str, value: &'static str| changed(move |list| list[at][field] = json!(value));
    assert_eq!(
        told(set(4, "func", "1"), set(4, "func", "2")),
        ["function \"calc\" (f1) on tab \"Presses\", func: both changed it"]
    );
    assert!(told(set(4, "func", "1"), set(4, "func", "1")).is_empty());
    let gone = changed(|list| drop(list.remove(4)));
    assert_eq!(
        told(set(4, "func", "1"), gone.clone()),
        ["function \"calc\" (f1) on tab \"Presses\": one side changed it, the other removed it"]
    );
    assert_eq!(told(gone, set(4, "func", "1")).len(), 1);
    let added = |name: &'static str| changed(move |list| list.push(json!({"id": "n", "type": "debug", "name": name})));
    assert_eq!(told(added("a"), added("b")), ["debug \"a\" (n), name: both added it, with different values"]);
    let no_tab = changed(|list| list.retain(|node| node["id"] != "t2" && node["z"] != "t2"));
    let on_it = changed(|list| list.push(json!({"id": "n", "type": "debug", "z": "t2", "x": 1})));
    assert_eq!(
        told(on_it, no_tab),
        ["debug (n) on tab \"Ovens\": one side added or changed it, the other removed its tab"]
    );
}

#[test]
fn the_order_of_nodes_is_that_of_whoever_changed_it() {
    let ids = |document: &Document| document.entries().iter().map(|entry| entry.id.clone()).collect::<Vec<_>>();
    let ours = changed(|list| list.insert(5, json!({"id": "n1", "type": "debug", "z": "t1"})));
    let theirs = changed(|list| list.swap(0, 1));
    let merged = document(merge(&document(plant()), &ours, &theirs).flows);
    let mut wanted = ids(&theirs);
    wanted.insert(5, "n1".to_owned());
    assert_eq!(ids(&merged), wanted, "only they moved something");
    let merged = document(merge(&document(plant()), &theirs, &ours).flows);
    assert_eq!(ids(&merged), wanted, "only we moved something");
}
