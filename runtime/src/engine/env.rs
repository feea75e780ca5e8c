//! Environment variables as a node sees them: its own, its groups', its subflow instance's, its tab's, the process's.
//!
//! Source: `getSetting` of Node-RED's `Flow.js`, `Subflow.js` and `Group.js`.

use std::rc::Rc;

use bytes::Bytes;
use flotilla_flows::{EnvVar, ScopeKind};

use crate::value::{Value, from_json, parse_json, string_to_number};

use super::scope::Scope;
use super::shared::Shared;

/// How deep a variable may refer to variables.
const MAX_DEPTH: usize = 32;

/// Looks a variable up from a scope outwards; `None` when nothing defines it.
pub(super) fn lookup(shared: &Shared, scope: &Rc<Scope>, name: &str) -> Option<Value> {
    lookup_from(shared, Some(scope), name, 0)
}

fn lookup_from(shared: &Shared, scope: Option<&Rc<Scope>>, name: &str, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    let Some(scope) = scope else { return shared.settings.load().env_var(name).map(Value::from) };
    if let Some(rest) = name.strip_prefix("$parent.") {
        return lookup_from(shared, scope.parent.as_ref(), rest, depth + 1);
    }
    if let Some(found) = special(scope, name) {
        return Some(found);
    }
    match scope.env.iter().find(|var| var.name == name) {
        Some(var) => evaluate(shared, scope, var, depth),
        None => lookup_from(shared, scope.parent.as_ref(), name, depth),
    }
}

fn special(scope: &Scope, name: &str) -> Option<Value> {
    let text = match (&scope.kind, name) {
        (ScopeKind::Group, "NR_GROUP_ID")
        | (ScopeKind::Tab, "NR_FLOW_ID")
        | (ScopeKind::Subflow { .. }, "NR_SUBFLOW_ID") => &scope.id,
        (ScopeKind::Group, "NR_GROUP_NAME")
        | (ScopeKind::Tab, "NR_FLOW_NAME")
        | (ScopeKind::Subflow { .. }, "NR_SUBFLOW_NAME") => &scope.name,
        (ScopeKind::Subflow { .. }, "NR_SUBFLOW_PATH") => &scope.id,
        _ => return None,
    };
    Some(Value::String(text.clone()))
}

fn evaluate(shared: &Shared, scope: &Rc<Scope>, var: &EnvVar, depth: usize) -> Option<Value> {
    let text = || match &var.value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    Some(match var.kind.as_str() {
        "num" => Value::Number(string_to_number(&text())),
        "bool" => Value::Bool(matches!(text().as_str(), "true" | "True" | "TRUE")),
        "json" => parse_json(text().as_bytes()).unwrap_or_else(|_| from_json(&var.value)),
        "bin" => match parse_json(text().as_bytes()) {
            Ok(Value::Array(items)) => {
                Value::Buffer(items.iter().map(|item| item.to_number() as u8).collect::<Bytes>())
            }
            _ => Value::Buffer(Bytes::from(text())),
        },
        "env" => {
            // A variable that names itself means the one outside: Node-RED's way to pass variables into a subflow.
            let from = scope.parent.as_ref();
            return Some(expand(shared, from, &text(), depth + 1));
        }
        _ => from_json(&var.value),
    })
}

/// `NAME`, `${NAME}` or text with `${NAME}` inside; what is not defined is empty.
fn expand(shared: &Shared, scope: Option<&Rc<Scope>>, text: &str, depth: usize) -> Value {
    let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains('}'));
    if whole.is_some() || !text.contains("${") {
        return lookup_from(shared, scope, whole.unwrap_or(text), depth).unwrap_or_else(|| Value::from(""));
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        if let Some(value) = lookup_from(shared, scope, &rest[start + 2..start + end], depth) {
            out.push_str(&value.to_text());
        }
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    Value::from(out)
}
