//! Which properties of a node hold code, and in what language.

use serde_json::{Map, Value};

/// A language that nodes take code in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Jsonata,
    /// With or without regard to case.
    Regexp {
        ignore_case: bool,
    },
    Cron,
    Mustache,
}

/// Code in a property.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Code<'a> {
    pub(super) field: String,
    pub(super) language: Language,
    pub(super) text: &'a str,
}

/// Endings of the property that says what a typed input holds: `property` and `propertyType`, `to` and `tot`.
const KINDS: [&str; 4] = ["Type", "type", "_type", "t"];

/// The code in a node, but for functions.
pub(super) fn codes<'a>(kind: &str, node: &'a Map<String, Value>) -> Vec<Code<'a>> {
    let mut found = Vec::new();
    walk("", node, &mut found);
    let text = |name: &str| node.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut add = |name: &str, language: Language| {
        if let Some(text) = text(name) {
            found.push(Code { field: name.to_owned(), language, text });
        }
    };
    match kind {
        "inject" => add("crontab", Language::Cron),
        "template" if node.get("syntax").and_then(Value::as_str).is_none_or(|syntax| syntax == "mustache") => {
            add("template", Language::Mustache);
        }
        "join" if node.get("mode").is_some_and(|mode| mode == "reduce") => {
            add("reduceExp", Language::Jsonata);
            add("reduceFixup", Language::Jsonata);
        }
        "change" | "switch" => rules(kind, node, &mut found),
        _ => {}
    }
    found
}

/// Every typed input that is a JSONata expression, at any depth.
fn walk<'a>(path: &str, object: &'a Map<String, Value>, found: &mut Vec<Code<'a>>) {
    for (key, value) in object {
        let field = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::String(text) => {
                let is = |ending: &str| object.get(&format!("{key}{ending}")).is_some_and(|kind| kind == "jsonata");
                if KINDS.into_iter().any(is) && !text.is_empty() {
                    found.push(Code { field, language: Language::Jsonata, text });
                }
            }
            Value::Object(inside) => walk(&field, inside, found),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    if let Value::Object(inside) = item {
                        walk(&format!("{field}[{at}]"), inside, found);
                    }
                }
            }
            _ => {}
        }
    }
}

/// What only rules of change and switch nodes have.
fn rules<'a>(kind: &str, node: &'a Map<String, Value>, found: &mut Vec<Code<'a>>) {
    let all = node.get("rules").and_then(Value::as_array).into_iter().flatten();
    for (at, rule) in all.enumerate() {
        let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
        let given = |name: &str| matches!(text(name), "" | "str" | "re" | "jsonata");
        let mut add = |name: &str, language: Language, text: &'a str| {
            if !text.is_empty() {
                found.push(Code { field: format!("rules[{at}].{name}"), language, text });
            }
        };
        match (kind, text("t")) {
            ("change", "change") if text("fromt") == "re" => {
                add("from", Language::Regexp { ignore_case: false }, text("from"));
            }
            ("switch", "regex") if given("vt") => {
                let ignore_case = rule.get("case").and_then(Value::as_bool).unwrap_or(false);
                add("v", Language::Regexp { ignore_case }, text("v"));
            }
            ("switch", "jsonata_exp") if text("vt") != "jsonata" => add("v", Language::Jsonata, text("v")),
            _ => {}
        }
    }
}
