//! Methods of host objects that take functions: listeners for the end of an exchange, and `res.format`.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use rquickjs::function::{Rest, This};
use rquickjs::object::Filter;
use rquickjs::{Ctx, Exception, Function, Object as JsObject, Persistent, Result, Value as JsValue};

use flotilla_tasks::Task;
use flotilla_value::{HostObject, Str, Value};

use super::engine::Script;
use super::export::text;

/// `on(event, listener)`: `close` is when the exchange is over, `finish` when it is over with an answer, `drain` when the
/// client has taken what was written. What else Node.js knows (`data`, `error`, ...) does not occur here: bodies are whole
/// before a flow sees the request.
pub(super) fn listen<'js>(
    script: &Rc<Script>,
    ctx: &Ctx<'js>,
    host: &Arc<dyn HostObject>,
    args: &Rest<JsValue<'js>>,
    once: bool,
) -> Result<()> {
    let event = args.0.first().map(text).transpose()?.unwrap_or_default();
    let Some(listener) = args.0.get(1).and_then(|listener| listener.clone().into_function()) else {
        return Err(Exception::throw_type(ctx, "The \"listener\" argument must be of type function"));
    };
    if event == "drain" {
        drains(script, ctx, host, listener, once);
        return Ok(());
    }
    let (Some(over), "close" | "finish") = (host.over(), event.as_str()) else { return Ok(()) };
    let listener = Persistent::save(ctx, listener);
    let owner = script.node.borrow().clone();
    let wants_answer = event == "finish";
    // The listener is no part of the call's delivery: it would keep that open until the answer, which may wait for its end.
    let task = Task {
        name: "script listener",
        owner: "function node".into(),
        ends: "the exchange is over",
        failure: "the listener is not called",
    };
    task.spawn_local(async move {
        let answered = over.await;
        if let Some(node) = owner.upgrade().filter(|_| answered || !wants_answer) {
            node.run_timer(&listener, None, None);
        }
    });
    Ok(())
}

fn drains<'js>(script: &Rc<Script>, ctx: &Ctx<'js>, host: &Arc<dyn HostObject>, listener: Function<'js>, once: bool) {
    let (listener, owner) = (Persistent::save(ctx, listener), script.node.borrow().clone());
    // It does not hold the response itself: a flow that lets go of it is known to write no more.
    let (mut next, again) = (host.drained(), Arc::downgrade(host));
    // Whoever waits for it (`await new Promise((go) => res.once('drain', go))`) goes on as part of the same call.
    let call = script.current.borrow().as_ref().map(Rc::downgrade);
    let task = Task {
        name: "drain listener",
        owner: "function node".into(),
        ends: "it was called once, or the client is gone",
        failure: "the listener is not called",
    };
    task.spawn_local(async move {
        while let Some(drained) = next {
            if !drained.await {
                return;
            }
            let Some(node) = owner.upgrade() else { return };
            next = again.upgrade().filter(|_| !once).and_then(|host| host.drained());
            node.run_timer(&listener, call.as_ref().and_then(Weak::upgrade), None);
        }
    });
}

/// `res.format({ type: function })`: calls the function of the type that the client takes, else `default`, else answers 406.
pub(super) fn format<'js>(
    ctx: &Ctx<'js>,
    host: &Arc<dyn HostObject>,
    this: &JsObject<'js>,
    args: &Rest<JsValue<'js>>,
) -> Result<()> {
    let Some(choices) = args.0.first().and_then(JsValue::as_object) else {
        return Err(Exception::throw_type(ctx, "res.format needs an object of functions by type"));
    };
    let call =
        |method: &str, args: &[Value]| host.call(method, args).map_err(|text| Exception::throw_message(ctx, &text));
    let mut types = Vec::new();
    for key in choices.own_keys::<String>(Filter::default()) {
        let key = key?;
        if key != "default" {
            types.push(Value::from(key));
        }
    }
    let Value::Host(request) = host.get("req") else { return Ok(()) };
    let wanted = request.call("accepts", &types).map_err(|text| Exception::throw_message(ctx, &text))?;
    call("vary", &[Value::from("Accept")])?;
    let key = match wanted {
        Value::String(key) if !types.is_empty() => {
            call("type", &[Value::String(key.clone())])?;
            key
        }
        _ => Str::new_static("default"),
    };
    match choices.get::<_, JsValue<'js>>(key.as_str())?.into_function() {
        Some(answer) => answer.call((This(choices.clone()), this.get::<_, JsValue<'js>>("req")?, this.clone())),
        None => call("sendStatus", &[Value::Number(406.0)]).map(|_| ()),
    }
}
