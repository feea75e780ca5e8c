//! Environment variables as a node sees them: its own, its groups', its subflow instance's, its tab's, the process's.
//!
//! Source: `getSetting` of Node-RED's `Flow.js`, `Subflow.js` and `Group.js`.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use flotilla_flows::ScopeKind;

use flotilla_value::{Value, from_json, parse_json, string_to_number};

use crate::replica::Shared;

use super::scope::Scope;

/// How deep a variable may refer to variables.
const MAX_DEPTH: usize = 32;

impl Scope {
    /// Looks a variable up from this scope outwards; `None` when nothing defines it.
    pub(crate) fn env_var(self: &Rc<Scope>, shared: &Arc<Shared>, name: &str) -> Option<Value> {
        lookup_from(shared, Some(self), name, 0)
    }
}

fn lookup_from(shared: &Arc<Shared>, scope: Option<&Rc<Scope>>, name: &str, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    let Some(scope) = scope else { return shared.settings().env_var(name).map(Value::from) };
    if let Some(rest) = name.strip_prefix("$parent.") {
        return lookup_from(shared, scope.parent.as_ref(), rest, depth + 1);
    }
    if let Some(found) = special(scope, name) {
        return Some(found);
    }
    match scope.env.iter().position(|var| var.name == name) {
        Some(at) => evaluate(shared, scope, at, depth),
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

fn evaluate(shared: &Arc<Shared>, scope: &Rc<Scope>, at: usize, depth: usize) -> Option<Value> {
    let var = &scope.env[at];
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
        "env" => return Some(expand(&text(), &|name| refer(shared, scope, at, name, depth + 1))),
        "cred" => scope.secrets.get(&var.name).map_or_else(|| from_json(&var.value), |text| Value::from(text.as_str())),
        "jsonata" => return scope.computed(shared, &var.name, &text()),
        _ => from_json(&var.value),
    })
}

/// What a variable of the kind `env` refers to: a variable beside it, else one outside. One that names itself means the
/// one outside: Node-RED's way to pass variables into a subflow.
fn refer(shared: &Arc<Shared>, scope: &Rc<Scope>, at: usize, name: &str, depth: usize) -> Option<Value> {
    let beside = scope.env.iter().position(|var| var.name == name);
    match beside.filter(|found| scope.env[*found].kind != "env" || *found < at) {
        Some(found) => evaluate(shared, scope, found, depth),
        None => lookup_from(shared, scope.parent.as_ref(), name, depth),
    }
}

/// `NAME`, `${NAME}` or text with `${NAME}` inside; what is not defined is empty.
fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<Value>) -> Value {
    let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains('}'));
    if whole.is_some() || !text.contains("${") {
        return lookup(whole.unwrap_or(text)).unwrap_or_else(|| Value::from(""));
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        if let Some(value) = lookup(&rest[start + 2..start + end]) {
            out.push_str(&value.to_text());
        }
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    Value::from(out)
}
