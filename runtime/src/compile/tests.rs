//! What is found in documents with faulty code.

use flotilla_flows::Document;
use serde_json::{Value, json};

use super::faults;

fn found(node: &Value) -> Vec<(String, Option<(usize, usize)>)> {
    let mut node = node.clone();
    node["id"] = "n".into();
    node["z"] = "t".into();
    let document = Document::from_value(json!([{"id": "t", "type": "tab"}, node])).unwrap();
    faults(&document).into_iter().map(|fault| (fault.field, fault.place)).collect()
}

fn one(node: &Value) -> (String, (usize, usize)) {
    let found = found(node);
    let [(field, Some(place))] = &found[..] else { panic!("{node}: {found:?}") };
    (field.clone(), *place)
}

#[test]
fn what_does_not_compile_is_named_with_its_place() {
    let at = |field: &str, line, column| (field.to_owned(), (line, column));
    assert_eq!(one(&json!({"type": "function", "func": "let a = 1;\nlet = ;"})).0, "func");
    assert_eq!(one(&json!({"type": "function", "func": "let a = 1;\nlet = ;"})).1.0, 2);
    assert_eq!(one(&json!({"type": "function", "func": "", "initialize": "\n\nfoo("})).0, "initialize");
    assert_eq!(one(&json!({"type": "function", "func": "", "finalize": "}"})).0, "finalize");
    let change = json!({"type": "change", "rules": [
        {"t": "set", "p": "a", "pt": "msg", "to": "payload.x", "tot": "jsonata"},
        {"t": "set", "p": "a", "pt": "msg", "to": "payload.\n  x ] 3", "tot": "jsonata"},
    ]});
    assert_eq!(one(&change), at("rules[1].to", 2, 5));
    let end = json!({"type": "change", "rules": [{"t": "set", "p": "a", "to": "$sum(", "tot": "jsonata"}]});
    assert_eq!(one(&end), at("rules[0].to", 1, 6));
    let regexp = json!({"type": "change", "rules": [{"t": "change", "p": "a", "from": "a(", "fromt": "re", "to": "", "tot": "str"}]});
    assert_eq!(one(&regexp).0, "rules[0].from");
    let switch = json!({"type": "switch", "property": "payload", "rules": [{"t": "regex", "v": "[", "vt": "str", "case": true}, {"t": "jsonata_exp", "v": "a +", "vt": "jsonata"}]});
    let fields: Vec<_> = found(&switch).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["rules[1].v", "rules[0].v"]);
    assert_eq!(one(&json!({"type": "inject", "crontab": "61 * * * *", "props": []})).0, "crontab");
    let template = json!({"type": "template", "template": "Hello\n{{#a}} and {{b", "syntax": "mustache"});
    assert_eq!(one(&template), at("template", 2, 12));
    let join = json!({"type": "join", "mode": "reduce", "reduceExp": "$A + ", "reduceInitType": "num"});
    assert_eq!(one(&join).0, "reduceExp");
}

#[test]
fn what_compiles_or_does_not_run_is_left_alone() {
    for node in [
        json!({"type": "function", "func": "return await lib(msg);", "libs": [{"var": "lib", "module": "x"}]}),
        json!({"type": "function", "func": "let = ;", "d": true}),
        json!({"type": "template", "template": "{{", "syntax": "plain"}),
        json!({"type": "inject", "crontab": "*/5 * * * 1-5", "props": [{"p": "payload", "v": "1 + 2", "vt": "jsonata"}]}),
        json!({"type": "change", "rules": [{"t": "set", "p": "a", "to": "${EXPRESSION}", "tot": "jsonata"}]}),
        json!({"type": "switch", "property": "p", "rules": [{"t": "regex", "v": "topic[", "vt": "msg"}]}),
    ] {
        assert_eq!(found(&node), [], "{node}");
    }
}
