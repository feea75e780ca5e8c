//! Ops on context: `ctx` reads and writes it, `context` sets the stores up.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use flotilla_engine::context::{ContextError, ContextRef, ContextStore, Contexts, MemoryStore};
use flotilla_value::{Str, Value};

use super::codec::encode;
use super::op::Op;

/// The stores that `contextStorage` describes: each kept in memory; `default` names one of them, else the first is it.
pub(super) fn stores(settings: Option<&Json>) -> Contexts {
    let Some(Json::Object(storage)) = settings.and_then(|settings| settings.get("contextStorage")) else {
        return Contexts::default();
    };
    let named: Vec<(Str, Arc<dyn ContextStore>)> = storage
        .iter()
        .filter(|(_, module)| module.is_object())
        .map(|(name, _)| (Str::new(name), Arc::new(MemoryStore::default()) as Arc<dyn ContextStore>))
        .collect();
    let wanted = storage.get("default").map_or("", |default| default.as_str().unwrap_or("default"));
    let default = named.iter().find(|(name, _)| name == wanted).or(named.first()).cloned();
    match default {
        Some((name, store)) => Contexts::new(named, name, store),
        None => Contexts::default(),
    }
}

/// Runs `get`, `set` or `keys`; keys and values may be arrays, as for the functions of that name in a function node.
pub(super) fn run(context: &ContextRef, op: &Op) -> Result<Json, String> {
    let answer = perform(context, op);
    if !op.flag("async") {
        return answer.map(|values| json!({"value": encode(&values)})).map_err(|error| error.to_string());
    }
    Ok(match answer {
        Ok(_) if op.text("do") == "set" => json!({"values": []}),
        Ok(Value::Array(values)) if op.value("key").as_array().is_some() => {
            json!({"values": values.iter().map(encode).collect::<Vec<_>>()})
        }
        Ok(value) => json!({"values": [encode(&value)]}),
        Err(error) => json!({
            "values": [],
            "cberr": encode(&Value::Error(Arc::new(flotilla_value::ErrorValue::new(error.to_string())))),
        }),
    })
}

fn perform(context: &ContextRef, op: &Op) -> Result<Value, ContextError> {
    let store = Some(op.text("store")).filter(|store| !store.is_empty());
    let key = op.value("key");
    // The flow around a flow on the top has no context.
    if op.text("scope") == "flow" && key.as_str().is_some_and(|key| key == "$parent" || key.starts_with("$parent.")) {
        return Ok(Value::Undefined);
    }
    match (op.text("do"), &key) {
        ("keys", _) => Ok(Value::array(context.keys(store)?.into_iter().map(Value::String).collect())),
        ("set", Value::Array(keys)) => {
            let values = op.value("value");
            for (at, key) in keys.iter().enumerate() {
                let value = match &values {
                    Value::Array(values) => values.get(at).cloned().unwrap_or(Value::Null),
                    single if at == 0 => single.clone(),
                    _ => Value::Null,
                };
                context.set(&key.to_text(), value, store)?;
            }
            Ok(Value::Undefined)
        }
        ("set", key) => context.set(&key.to_text(), op.value("value"), store).map(|()| Value::Undefined),
        (_, Value::Array(keys)) => {
            keys.iter().map(|key| context.get(&key.to_text(), store)).collect::<Result<Vec<_>, _>>().map(Value::array)
        }
        (_, key) => context.get(&key.to_text(), store),
    }
}
