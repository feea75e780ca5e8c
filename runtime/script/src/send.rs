//! What a function sends and returns: one message, a list per output, lists in lists.
//!
//! Source: `sendResults` of Node-RED's function node.

use std::rc::Rc;
use std::sync::Arc;

use rquickjs::{Ctx, Result, Value as JsValue};

use flotilla_engine::message::{Delivery, Msg};
use flotilla_value::Value;

use super::engine::Script;
use super::function::FunctionScript;
use super::view::identical;

/// What sent messages inherit.
pub(super) struct Origin {
    /// The id of the message that the function was called with.
    pub(super) id: Value,
    /// Its delivery.
    pub(super) delivery: Option<Arc<Delivery>>,
}

/// A `node.send(msg, false)`: the receiver sees what the script does to the message until its run ends.
pub(super) struct Deferred {
    value: rquickjs::Persistent<JsValue<'static>>,
    origin: Origin,
}

/// Sends what a script passed to `node.send`. Without `clone` the messages are read at the end of the run.
pub(super) fn results<'js>(
    script: &Rc<Script>,
    node: &Rc<FunctionScript>,
    ctx: &Ctx<'js>,
    value: &JsValue<'js>,
    origin: &Origin,
    clone: bool,
) -> Result<()> {
    // What comes after something deferred waits behind it: order is kept.
    if clone && node.deferred.borrow().is_empty() {
        return now(script, node, ctx, value, origin).map(|_| ());
    }
    let value = if clone {
        let snapshot = script.export(ctx, value)?;
        script.import(ctx, &snapshot)?
    } else {
        value.clone()
    };
    let origin = Origin { id: origin.id.clone(), delivery: origin.delivery.clone() };
    node.deferred.borrow_mut().push(Deferred { value: rquickjs::Persistent::save(ctx, value), origin });
    Ok(())
}

/// The end of a run: sends what was deferred.
pub(super) fn flush(script: &Rc<Script>, node: &Rc<FunctionScript>, ctx: &Ctx<'_>) -> Result<()> {
    if node.deferred.borrow().is_empty() {
        return Ok(());
    }
    let deferred = std::mem::take(&mut *node.deferred.borrow_mut());
    for one in deferred {
        now(script, node, ctx, &one.value.restore(ctx)?, &one.origin)?;
    }
    Ok(())
}

/// Sends at once. Answers the message when it was a single one.
pub(super) fn now<'js>(
    script: &Rc<Script>,
    node: &Rc<FunctionScript>,
    ctx: &Ctx<'js>,
    value: &JsValue<'js>,
    origin: &Origin,
) -> Result<Option<Msg>> {
    if value.is_null() || value.is_undefined() {
        return Ok(None);
    }
    let Some(array) = script.whole_array(ctx, value)? else {
        if !is_truthy(value) {
            return Ok(None);
        }
        let msg = message(script, node, ctx, value, origin)?;
        if let Some(msg) = &msg {
            node.host.send(msg.clone());
        }
        return Ok(msg);
    };
    let mut outputs = Vec::with_capacity(array.len());
    let mut any = false;
    for at in 0..array.len() {
        let port: JsValue<'js> = array.get(at)?;
        let mut msgs = Vec::new();
        if let Some(list) = script.whole_array(ctx, &port)? {
            for at in 0..list.len() {
                let each: JsValue<'js> = list.get(at)?;
                if !each.is_null() && !each.is_undefined() {
                    msgs.extend(message(script, node, ctx, &each, origin)?);
                }
            }
        } else if is_truthy(&port) {
            msgs.extend(message(script, node, ctx, &port, origin)?);
        }
        any |= !msgs.is_empty();
        outputs.push(msgs);
    }
    if any {
        node.host.send_outputs(outputs);
    }
    Ok(None)
}

/// Node-RED drops what is falsy, alone or in the outer list, without a word.
fn is_truthy(value: &JsValue<'_>) -> bool {
    match value.type_of() {
        rquickjs::Type::Undefined | rquickjs::Type::Null => false,
        rquickjs::Type::Bool => value.as_bool().unwrap_or_default(),
        rquickjs::Type::Int | rquickjs::Type::Float => value.as_number().is_some_and(|n| n != 0.0 && !n.is_nan()),
        rquickjs::Type::String => super::export::text(value).is_ok_and(|text| !text.is_empty()),
        _ => true,
    }
}

fn message<'js>(
    script: &Rc<Script>,
    node: &Rc<FunctionScript>,
    ctx: &Ctx<'js>,
    value: &JsValue<'js>,
    origin: &Origin,
) -> Result<Option<Msg>> {
    let kind = if value.is_object() && !value.is_function() {
        match script.export(ctx, value)? {
            Value::Object(object) => {
                let mut msg = Msg::from_value(Value::Object(object), origin.delivery.clone());
                if !msg.get_ref("_msgid").is_some_and(|id| identical(id, &origin.id)) {
                    msg.set("_msgid", origin.id.clone());
                }
                return Ok(Some(msg));
            }
            Value::Error(error) => {
                // An error object is a message too: its own properties are what a receiver can read.
                let mut msg = Msg::new(error.props.clone()).in_delivery(origin.delivery.clone());
                msg.set("_msgid", origin.id.clone());
                return Ok(Some(msg));
            }
            Value::Buffer(_) => "Buffer",
            Value::Array(_) => "Array",
            _ => "Date",
        }
    } else {
        match value.type_of() {
            rquickjs::Type::Bool => "boolean",
            rquickjs::Type::Int | rquickjs::Type::Float => "number",
            rquickjs::Type::String => "string",
            rquickjs::Type::BigInt => "bigint",
            rquickjs::Type::Symbol => "symbol",
            _ => "function",
        }
    };
    let text = node.host.text("function.error.non-message-returned", &[("type", kind)]);
    node.host.error(Value::from(text), None);
    Ok(None)
}
