//! What expressions see of the node that they belong to.

use crate::context::ContextRef;
use flotilla_value::{Path, Value};

use super::error::ExpressionError;

/// What expressions see of the node that they belong to.
pub trait Surroundings {
    /// An environment variable; `None` when nothing defines it.
    fn env(&self, name: &str) -> Option<Value>;

    /// The flow's or (`global`) everyone's context.
    fn context(&self, global: bool) -> ContextRef;

    /// The context of the flow around a subflow instance.
    fn parent_context(&self) -> Option<ContextRef> {
        None
    }

    /// A credential of the node.
    fn credential(&self, _name: &str) -> Option<String> {
        None
    }
}

/// Splits `#:(store)::key` as typed inputs write it.
fn split_store(text: &str) -> (Option<&str>, &str) {
    let Some(rest) = text.strip_prefix("#:(") else { return (None, text) };
    match rest.split_once(")::") {
        Some((store, key)) if !store.is_empty() && !store.contains(char::is_whitespace) => (Some(store), key),
        _ => (None, text),
    }
}

fn locate(
    around: &dyn Surroundings,
    global: bool,
    text: &str,
    msg: Option<&Value>,
    reading: bool,
) -> Result<Option<(ContextRef, Option<String>, Path)>, ExpressionError> {
    let (store, key) = split_store(text);
    let (context, key) = match key.strip_prefix("$parent").filter(|_| !global) {
        // A flow on the top has nothing around it, and only one flow is around a subflow here.
        Some("") => return Ok(None),
        Some(rest) if rest.starts_with('.') => match around.parent_context() {
            Some(context) if !rest.starts_with(".$parent") => (context, &rest[1..]),
            _ => return Ok(None),
        },
        _ => (around.context(global), key),
    };
    let path = match Path::parse(key) {
        Ok(path) => path,
        Err(error) if reading && !context.looks_at_keys(store)? => {
            tracing::trace!(%error, "a malformed context key");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let path = if key.contains("[msg") { Path::from_parts(path.resolved(msg)?) } else { path };
    Ok(Some((context, store.map(str::to_owned), path)))
}

/// Reads context by a typed input's key: `key`, `#:(store)::key`, `key[msg.topic]`.
pub fn context_get(
    around: &dyn Surroundings,
    global: bool,
    text: &str,
    msg: Option<&Value>,
) -> Result<Value, ExpressionError> {
    let Some((context, store, path)) = locate(around, global, text, msg, true)? else { return Ok(Value::Undefined) };
    Ok(context.store(store.as_deref()).get(context.scope(), &path)?)
}

/// Sets context by a typed input's key; `Undefined` deletes it.
pub fn context_set(
    around: &dyn Surroundings,
    global: bool,
    text: &str,
    msg: Option<&Value>,
    value: Value,
) -> Result<(), ExpressionError> {
    let Some((context, store, path)) = locate(around, global, text, msg, false)? else { return Ok(()) };
    Ok(context.store(store.as_deref()).set(context.scope(), &path, value)?)
}
