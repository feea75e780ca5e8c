//! A node's own native functions: what `node`, `context`, `flow`, `global`, `env` and the timers call.

use std::rc::Rc;

use rquickjs::function::{Rest, This};
use rquickjs::{Class, Ctx, Exception, Function, Object as JsObject, Result, Value as JsValue};

use flotilla_engine::context::{ContextError, ContextRef};
use flotilla_engine::expression::{ExpressionError, Jsonata};
use flotilla_engine::message::STORE_AWAY;
use flotilla_engine::observe::Level;
use flotilla_value::{ErrorValue, Object, Path, PathPart, Str, Value};

use super::engine::Script;
use super::export::text;
use super::function::FunctionScript;
use super::invocation::{Invocation, NodeHandle};
use super::link_calls;
use super::send;

type Args<'js> = Rest<JsValue<'js>>;

fn arg<'js>(ctx: &Ctx<'js>, args: &Args<'js>, at: usize) -> JsValue<'js> {
    args.0.get(at).cloned().unwrap_or_else(|| JsValue::new_undefined(ctx.clone()))
}

fn add<'js>(
    to: &JsObject<'js>,
    name: &str,
    work: impl Fn(&Ctx<'js>, &Args<'js>) -> Result<JsValue<'js>> + 'js,
) -> Result<()> {
    let ctx = to.ctx().clone();
    to.set(name, Function::new(ctx, move |ctx: Ctx<'js>, args: Args<'js>| work(&ctx, &args))?.with_name(name)?)
}

fn undefined<'js>(ctx: &Ctx<'js>) -> JsValue<'js> {
    JsValue::new_undefined(ctx.clone())
}

/// A string argument; anything but a string is absent.
fn name_of(value: &JsValue<'_>) -> Result<Option<Str>> {
    if value.is_string() { text(value).map(Some) } else { Ok(None) }
}

fn throw(ctx: &Ctx<'_>, script: &Rc<Script>, error: &ContextError) -> rquickjs::Error {
    let code = match error {
        ContextError::Key(_) => Some("INVALID_EXPR"),
        // Node-RED gives this one no code.
        ContextError::EmptyKey => None,
        ContextError::Unavailable { .. } => Some(STORE_AWAY),
        ContextError::NotStorable { .. } => Some("ERR_NOT_STORABLE"),
        ContextError::Refused(_) => Some("ERR_REFUSED"),
    };
    let text = error.to_string();
    let value = code.map_or_else(|| ErrorValue::new(text.as_str()), |code| ErrorValue::with_code(text.as_str(), code));
    match script.error(ctx, &value) {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// Builds the native functions of a node.
pub(super) fn natives<'js>(script: &Rc<Script>, ctx: &Ctx<'js>, node: &Rc<FunctionScript>) -> Result<JsObject<'js>> {
    let n = JsObject::new(ctx.clone())?;
    for (name, level) in [("log", Level::Info), ("warn", Level::Warn), ("debug", Level::Debug), ("trace", Level::Trace)]
    {
        let (node, engine) = (node.clone(), script.clone());
        add(&n, name, move |ctx, args| {
            let value = engine.export(ctx, &arg(ctx, args, 0))?;
            node.host.log(level, value);
            Ok(undefined(ctx))
        })?;
    }
    let (own, engine) = (node.clone(), script.clone());
    add(&n, "error", move |ctx, args| {
        let error = engine.export(ctx, &arg(ctx, args, 0))?;
        let about = arg(ctx, args, 1);
        let msg = if about.is_object() {
            let delivery = engine.current.borrow().as_ref().and_then(|current| current.delivery());
            Some(flotilla_engine::message::Msg::from_value(engine.export(ctx, &about)?, delivery))
        } else {
            None
        };
        own.host.error(error, msg.as_ref());
        Ok(undefined(ctx))
    })?;
    let (own, engine) = (node.clone(), script.clone());
    add(&n, "status", move |ctx, args| {
        let status = engine.export(ctx, &arg(ctx, args, 0))?;
        own.has_status.set(true);
        own.host.status(status);
        Ok(undefined(ctx))
    })?;
    let own = node.clone();
    add(&n, "on", move |ctx, args| own.listen(ctx, &arg(ctx, args, 0), arg(ctx, args, 1)))?;
    let (own, engine) = (node.clone(), script.clone());
    add(&n, "env", move |ctx, args| {
        let found = name_of(&arg(ctx, args, 0))?.and_then(|name| own.host.env(&name));
        engine.import(ctx, &found.unwrap_or_default())
    })?;
    let (own, engine) = (node.clone(), script.clone());
    add(&n, "startTimer", move |ctx, args| {
        let Some(callback) = arg(ctx, args, 0).into_function() else { return Ok(undefined(ctx)) };
        let ms = arg(ctx, args, 1).as_number().unwrap_or(1.0);
        let repeat = arg(ctx, args, 2).as_bool().unwrap_or_default();
        let id = super::timers::start(&engine, &own, ctx, callback, ms, repeat);
        Ok(JsValue::new_number(ctx.clone(), f64::from(id)))
    })?;
    let own = node.clone();
    add(&n, "stopTimer", move |ctx, args| {
        own.timers.stop(arg(ctx, args, 0).as_number().unwrap_or_default() as u32);
        Ok(undefined(ctx))
    })?;
    let (own, engine) = (node.clone(), script.clone());
    add(&n, "jsonata", move |ctx, args| {
        let failed = |error: ExpressionError| match Value::from(error) {
            Value::Error(error) => engine.error(ctx, &error).map_or_else(|error| error, |error| ctx.throw(error)),
            other => Exception::throw_message(ctx, &other.to_text()),
        };
        let expression = Jsonata::compile(&text(&arg(ctx, args, 0))?).map_err(failed)?;
        if args.0.len() < 2 {
            return Ok(undefined(ctx));
        }
        let input = engine.export(ctx, &arg(ctx, args, 1))?;
        let bound = engine.export(ctx, &arg(ctx, args, 2))?;
        let bound = bound.as_object().cloned().unwrap_or_default();
        let bound: Vec<(&str, Value)> = bound.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let found = expression.evaluate(own.host.surroundings(), &input, &bound).map_err(failed)?;
        engine.import(ctx, &found)
    })?;
    sending(script, &n, node)?;
    contexts(script, &n, node)?;
    if node.may_require() {
        super::modules::add_require(script, &n, node)?;
    }
    Ok(n)
}

fn sending<'js>(script: &Rc<Script>, n: &JsObject<'js>, node: &Rc<FunctionScript>) -> Result<()> {
    let (own, engine) = (node.clone(), script.clone());
    let send = move |ctx: Ctx<'js>, this: This<JsValue<'js>>, args: Args<'js>| -> Result<()> {
        let handle = this.0.as_object().and_then(Class::<NodeHandle<'_>>::from_object);
        let (id, invocation) = match &handle {
            Some(handle) => (handle.borrow().msg_id(), handle.borrow().invocation()),
            None => {
                let current = engine.current.borrow().clone();
                (current.as_ref().map(|call| call.msg.get("_msgid")).unwrap_or_default(), current)
            }
        };
        let delivery = invocation.and_then(|invocation| invocation.delivery());
        let clone = arg(&ctx, &args, 1).as_bool() != Some(false);
        send::results(&engine, &own, &ctx, &arg(&ctx, &args, 0), &send::Origin { id, delivery }, clone)
    };
    n.set("send", Function::new(n.ctx().clone(), send)?.with_name("send")?)?;
    let (own, engine) = (node.clone(), script.clone());
    let link_call = move |ctx: Ctx<'js>, this: This<JsValue<'js>>, args: Args<'js>| -> Result<()> {
        let handle = this.0.as_object().and_then(Class::<NodeHandle<'_>>::from_object);
        let call = match &handle {
            Some(handle) => handle.borrow().invocation(),
            None => engine.current.borrow().clone(),
        };
        let [target, msg, timeout, resolve, reject] = std::array::from_fn(|at| arg(&ctx, &args, at));
        link_calls::begin(&engine, &own, &ctx, call, [target, msg, timeout], [resolve, reject])
    };
    n.set("linkCall", Function::new(n.ctx().clone(), link_call)?.with_name("linkCall")?)?;
    let (own, engine) = (node.clone(), script.clone());
    add(n, "sendSetup", move |ctx, args| {
        let origin = send::Origin { id: flotilla_engine::message::generate_id().into(), delivery: None };
        let clone = arg(ctx, args, 1).as_bool() != Some(false);
        send::results(&engine, &own, ctx, &arg(ctx, args, 0), &origin, clone)?;
        Ok(undefined(ctx))
    })?;
    let (own, engine) = (node.clone(), script.clone());
    let done = move |ctx: Ctx<'js>, this: This<JsValue<'js>>, args: Args<'js>| -> Result<()> {
        let handle = this.0.as_object().and_then(Class::<NodeHandle<'_>>::from_object);
        let invocation = match &handle {
            Some(handle) => handle.borrow().invocation(),
            None => engine.current.borrow().clone(),
        };
        let left = handle.as_ref().and_then(|handle| handle.borrow().msg());
        let released = handle.as_ref().and_then(|handle| handle.borrow().release());
        let Some(invocation) = invocation else { return Ok(()) };
        if invocation.done.replace(true) {
            return Ok(());
        }
        let error = arg(&ctx, &args, 0);
        if error.is_null() || error.is_undefined() {
            let left = left.filter(|_| own.host.hears_done()).map(|left| own.left(&ctx, &invocation, &left));
            own.host.done(left.as_ref().unwrap_or(&invocation.msg));
        } else {
            let left = left.map(|left| own.left(&ctx, &invocation, &left));
            own.host.error(engine.export(&ctx, &error)?, Some(left.as_ref().unwrap_or(&invocation.msg)));
        }
        drop(released);
        Ok(())
    };
    n.set("done", Function::new(n.ctx().clone(), done)?.with_name("done")?)
}

/// Keys that one node warns about at most.
const MOST_WARNINGS: usize = 100;

/// The context that a native call names: its scope, its key without `$parent.`, and its store.
struct Target {
    context: Option<ContextRef>,
    scope: Str,
    key: Str,
    store: Option<Str>,
}

impl Target {
    fn of<'js>(node: &FunctionScript, ctx: &Ctx<'js>, args: &Args<'js>, store_at: usize) -> Result<Target> {
        let scope = name_of(&arg(ctx, args, 0))?.unwrap_or_default();
        let key = name_of(&arg(ctx, args, 1))?.unwrap_or_default();
        let store = name_of(&arg(ctx, args, store_at))?;
        let (lookup, key) = match key.strip_prefix("$parent") {
            // Nothing is around the flow around a subflow.
            Some("") if scope == "flow" => ("nothing", key),
            Some(rest) if scope == "flow" && rest.starts_with(".$parent") => ("nothing", key),
            Some(rest) if scope == "flow" && rest.starts_with('.') => ("$parent", Str::new(&rest[1..])),
            _ => (scope.as_str(), key),
        };
        Ok(Target { context: node.host.context(lookup), scope: scope.clone(), key, store })
    }

    fn get(&self, node: &FunctionScript, call: Option<&Invocation>) -> std::result::Result<Value, ContextError> {
        let Some(context) = &self.context else { return Ok(Value::Undefined) };
        let (found, seen) = context.get_seen(&self.key, self.store.as_deref())?;
        if let (Some(call), Some(version)) = (call, seen) {
            call.reads.saw(context.scope(), &self.key, self.store.as_ref(), version);
        }
        if found.is_undefined() && self.scope == "global" {
            return Ok(seed(node, &self.key));
        }
        Ok(found)
    }

    /// True when the call read the key before and somebody else wrote it since: their update is lost.
    fn set(&self, value: Value, call: Option<&Invocation>) -> std::result::Result<bool, ContextError> {
        let Some(context) = &self.context else { return Ok(false) };
        let store = self.store.as_deref();
        match call.and_then(|call| call.reads.take(context.scope(), &self.key, self.store.as_ref())) {
            Some(seen) => context.set_after(&self.key, value, store, seen),
            None => context.set(&self.key, value, store).map(|()| false),
        }
    }

    /// Says once per node and key that updates are lost.
    fn warn_of_lost_update(&self, node: &FunctionScript) {
        let mut warned = node.lost_updates.borrow_mut();
        if warned.len() >= MOST_WARNINGS || !warned.insert(self.key.clone()) {
            return;
        }
        let (scope, key, store) = (&self.scope, &self.key, self.store.as_deref().unwrap_or_default());
        let text = format!(
            "an update of \"{key}\" was lost: another replica (or message) set it between this function's get and set. Use \
             {scope}.incr(\"{key}\", 1, \"{store}\") to count, or {scope}.cas(\"{key}\", old, new, \"{store}\") in a loop"
        );
        node.host.log(Level::Warn, Value::from(text));
    }
}

/// A value of the setting `functionGlobalContext`, which `global` falls back to.
fn seed(node: &FunctionScript, key: &str) -> Value {
    let seeds = node.host.setting("functionGlobalContext").unwrap_or_default();
    Path::parse(key).ok().and_then(|path| path.get_in(&seeds, None).ok()).unwrap_or_default()
}

fn contexts(script: &Rc<Script>, n: &JsObject<'_>, node: &Rc<FunctionScript>) -> Result<()> {
    let (own, engine) = (node.clone(), script.clone());
    add(n, "get", move |ctx, args| {
        let target = Target::of(&own, ctx, args, 2)?;
        let call = engine.current.borrow().clone();
        let value = target.get(&own, call.as_deref()).map_err(|error| throw(ctx, &engine, &error))?;
        let holds = matches!(value, Value::Object(_) | Value::Array(_));
        if holds
            && let Some(made) =
                own.borrowed.again(ctx, target.context.as_ref(), &target.key, target.store.as_ref(), &value)
        {
            return Ok(made);
        }
        let made = engine.import(ctx, &value)?;
        if holds {
            own.borrowed.keep(ctx, target.context.as_ref(), &target.key, target.store.as_ref(), &value, &made);
        }
        Ok(made)
    })?;
    let (own, engine) = (node.clone(), script.clone());
    add(n, "set", move |ctx, args| {
        let target = Target::of(&own, ctx, args, 3)?;
        let value = engine.export(ctx, &arg(ctx, args, 2))?;
        own.borrowed.forget(&target.scope, &target.key);
        let call = engine.current.borrow().clone();
        if target.set(value, call.as_deref()).map_err(|error| throw(ctx, &engine, &error))? {
            target.warn_of_lost_update(&own);
        }
        Ok(undefined(ctx))
    })?;
    let (own, engine) = (node.clone(), script.clone());
    add(n, "keys", move |ctx, args| {
        let scope = name_of(&arg(ctx, args, 0))?.unwrap_or_default();
        let store = name_of(&arg(ctx, args, 1))?;
        let Some(context) = own.host.context(&scope) else { return engine.import(ctx, &Value::array(Vec::new())) };
        let mut keys = context.keys(store.as_deref()).map_err(|error| throw(ctx, &engine, &error))?;
        if scope == "global"
            && let Some(Value::Object(seeds)) = own.host.setting("functionGlobalContext")
        {
            keys.extend(seeds.keys().filter(|key| !keys.contains(key)).cloned().collect::<Vec<_>>());
        }
        engine.import(ctx, &Value::array(keys.into_iter().map(Value::String).collect()))
    })?;
    let (own, engine) = (node.clone(), script.clone());
    add(n, "incr", move |ctx, args| {
        let target = Target::of(&own, ctx, args, 3)?;
        let by = arg(ctx, args, 2).as_number().unwrap_or(f64::NAN);
        if !by.is_finite() {
            return Err(Exception::throw_type(ctx, "incr: what to add must be a number"));
        }
        let Some(context) = &target.context else { return Ok(undefined(ctx)) };
        own.borrowed.forget(&target.scope, &target.key);
        let sum = context.incr(&target.key, by, target.store.as_deref());
        Ok(JsValue::new_number(ctx.clone(), sum.map_err(|error| throw(ctx, &engine, &error))?))
    })?;
    let (own, engine) = (node.clone(), script.clone());
    add(n, "cas", move |ctx, args| {
        let target = Target::of(&own, ctx, args, 4)?;
        let expected = engine.export(ctx, &arg(ctx, args, 2))?;
        let value = engine.export(ctx, &arg(ctx, args, 3))?;
        let Some(context) = &target.context else { return Ok(undefined(ctx)) };
        own.borrowed.forget(&target.scope, &target.key);
        let set = context.cas(&target.key, &expected, value, target.store.as_deref());
        Ok(JsValue::new_bool(ctx.clone(), set.map_err(|error| throw(ctx, &engine, &error))?))
    })
}

/// `{ id, name, path, outputCount }` of a node.
pub(super) fn about(node: &FunctionScript) -> Value {
    let host = &node.host;
    let parts = [
        ("id", Value::String(host.id())),
        ("name", Value::String(host.name())),
        ("path", Value::String(host.path())),
        ("outputCount", Value::Number(host.outputs() as f64)),
    ];
    Value::from(parts.into_iter().collect::<Object>())
}

/// The first key of a context path: two paths with the same one may touch the same value.
pub(super) fn first_key(key: &str) -> Str {
    match Path::parse(key).ok().and_then(|path| path.parts().first().cloned()) {
        Some(PathPart::Key(key)) => key,
        Some(PathPart::Index(index)) => Str::from(index.to_string()),
        _ => Str::new(key),
    }
}
