//! What templates find beside the message: `flow.x`, `global[store].x`, `env.X`.

use flotilla_value::{Path, Value};

use super::error::ExpressionError;
use super::mustache::Lookup;
use super::surroundings::Surroundings;
use super::typed::env;

/// Looks names up in the node's surroundings. Source: `NodeContext` of Node-RED's template node.
pub struct NodeLookup<'a> {
    /// The node.
    pub around: &'a dyn Surroundings,
    /// The template's result is JSON: texts of the message are escaped for it.
    pub json: bool,
}

/// `flow.key` or `global[store].key`.
fn context_name(name: &str) -> Option<(bool, Option<&str>, &str)> {
    let (global, rest) = match name.strip_prefix("flow") {
        Some(rest) => (false, rest),
        None => (true, name.strip_prefix("global")?),
    };
    let (store, rest) = match rest.strip_prefix('[') {
        Some(inner) => {
            let (store, rest) = inner.split_once(']')?;
            (Some(store), rest)
        }
        None => (None, rest),
    };
    let key = rest.strip_prefix('.').filter(|key| !key.is_empty())?;
    Some((global, store, key))
}

impl Lookup for NodeLookup<'_> {
    fn find(&self, name: &str) -> Result<Value, ExpressionError> {
        if let Some(name) = name.strip_prefix("env.") {
            return Ok(env(self.around, name));
        }
        let Some((global, store, key)) = context_name(name) else { return Ok(Value::from("")) };
        let context = self.around.context(global);
        Ok(context.store(store).get(context.scope(), &Path::parse(key)?)?)
    }

    fn found(&self, value: Value) -> Value {
        match value {
            Value::String(text) if self.json => {
                let mut escaped = String::with_capacity(text.len());
                for c in text.chars() {
                    match c {
                        '\\' => escaped.push_str("\\\\"),
                        '\n' => escaped.push_str("\\n"),
                        '\t' => escaped.push_str("\\t"),
                        '\r' => escaped.push_str("\\r"),
                        '\u{c}' => escaped.push_str("\\f"),
                        '\u{8}' => escaped.push_str("\\b"),
                        c => escaped.push(c),
                    }
                }
                Value::from(escaped)
            }
            other => other,
        }
    }
}
