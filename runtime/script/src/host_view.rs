//! Live host objects (`msg.req`, `msg.res`) as scripts see them.
//!
//! Properties are read from the host object. What a script writes, onto the object or inside of one of its properties, is
//! told to the host object when the script's run ends or the object leaves it: from then on every holder sees it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use rquickjs::class::{JsClass, Readable, Trace, Tracer};
use rquickjs::function::Constructor;
use rquickjs::function::{Rest, This};
use rquickjs::object::{AsProperty, Filter, Property, PropertyFlags};
use rquickjs::{Atom, Class, Ctx, Exception, Function, Object as JsObject, Persistent, Result, Value as JsValue, qjs};

use flotilla_value::{HostObject, Str, Value};

use super::engine::Script;
use super::host_events;
use super::view::{SharedAccessor, identical};

/// Accessors and methods kept for reuse; host objects of a kind have the same few.
const KEPT: usize = 256;

/// The host object behind a script's object.
#[derive(rquickjs::JsLifetime)]
pub(super) struct HostView {
    host: Shared,
    state: State,
}

struct Shared(Arc<dyn HostObject>);

#[derive(Default)]
struct State {
    /// The names that an enumeration shows, when the object was made.
    names: Vec<Str>,
    /// Properties that are in the script's object itself, with the value that the host object has for them.
    held: RefCell<Vec<(Str, Value)>>,
    /// What was written is being told.
    settling: Cell<bool>,
}

impl<'js> Trace<'js> for HostView {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

impl<'js> JsClass<'js> for HostView {
    const NAME: &'static str = "HostObject";
    type Mutable = Readable;

    fn constructor(_ctx: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

/// An accessor that an enumeration does not show.
struct Hidden<'js>(SharedAccessor<'js>);

impl<'js> AsProperty<'js, ()> for Hidden<'js> {
    fn config(self, ctx: &Ctx<'js>) -> Result<(PropertyFlags, JsValue<'js>, JsValue<'js>, JsValue<'js>)> {
        let (flags, value, get, set) = self.0.config(ctx)?;
        Ok((flags & !(qjs::JS_PROP_ENUMERABLE as PropertyFlags), value, get, set))
    }
}

impl HostView {
    pub(super) fn host(&self) -> Arc<dyn HostObject> {
        self.host.0.clone()
    }

    /// The object for a host object: its keys as properties, its methods as functions.
    pub(super) fn make<'js>(script: &Rc<Script>, ctx: &Ctx<'js>, host: &Arc<dyn HostObject>) -> Result<JsValue<'js>> {
        let proto = script.realm().host_proto.clone().restore(ctx)?;
        let names = host.keys();
        let state = State { names: names.clone(), ..State::default() };
        let object = Class::instance_proto(HostView { host: Shared(host.clone()), state }, proto)?.into_inner();
        for name in &names {
            object.prop(name.as_str(), accessor(script, ctx, name)?)?;
        }
        for name in host.hidden() {
            object.prop(*name, Hidden(accessor(script, ctx, &Str::new_static(name))?))?;
        }
        for name in host.methods() {
            object.prop(*name, Property::from(method(script, ctx, name)?).writable().configurable())?;
        }
        if script.may_keep() {
            script.hosts.borrow_mut().push(Persistent::save(ctx, object.clone()));
        }
        Ok(object.into_value())
    }
}

/// The getter and setter of a property. A container that was read, and an object that was assigned, stay in the script's
/// object: the script may change them further.
fn accessor<'js>(script: &Rc<Script>, ctx: &Ctx<'js>, key: &Str) -> Result<SharedAccessor<'js>> {
    let known = script.host_accessors.borrow().get(key).cloned();
    if let Some((get, set)) = known {
        return Ok(SharedAccessor { get: get.restore(ctx)?, set: set.restore(ctx)? });
    }
    let (name, engine) = (key.clone(), script.clone());
    let get = move |ctx: Ctx<'js>, this: This<JsValue<'js>>| -> Result<JsValue<'js>> {
        let Some(class) = this.0.as_object().and_then(Class::<HostView>::from_object) else {
            return Ok(JsValue::new_undefined(ctx.clone()));
        };
        let value = class.borrow().host.0.get(&name);
        let made = engine.import(&ctx, &value)?;
        if matches!(value, Value::Object(_) | Value::Array(_) | Value::Host(_) | Value::Buffer(_)) {
            hold(&ctx, &class, &name, value, made.clone())?;
        }
        Ok(made)
    };
    let (name, engine) = (key.clone(), script.clone());
    let set = move |ctx: Ctx<'js>, this: This<JsValue<'js>>, value: JsValue<'js>| -> Result<()> {
        let Some(class) = this.0.as_object().and_then(Class::<HostView>::from_object) else { return Ok(()) };
        if value.is_object() {
            return hold(&ctx, &class, &name, Value::Undefined, value);
        }
        let value = engine.export(&ctx, &value)?;
        let host = class.borrow().host();
        host.set(&name, value).map_err(|text| Exception::throw_type(&ctx, &text))
    };
    let (get, set) = (Function::new(ctx.clone(), get)?, Function::new(ctx.clone(), set)?);
    if !script.may_keep() {
        return Ok(SharedAccessor { get, set });
    }
    let mut all = script.host_accessors.borrow_mut();
    if all.len() >= KEPT {
        all.clear();
    }
    all.insert(key.clone(), (Persistent::save(ctx, get.clone()), Persistent::save(ctx, set.clone())));
    drop(all);
    Ok(SharedAccessor { get, set })
}

/// Puts a value in the accessor's place. `was` is what the host object has for it.
fn hold<'js>(ctx: &Ctx<'js>, class: &Class<'js, HostView>, name: &Str, was: Value, made: JsValue<'js>) -> Result<()> {
    let enumerable = class.borrow().state.names.contains(name);
    let property = Property::from(made).writable().configurable();
    let put = class.as_inner().prop(name.as_str(), if enumerable { property.enumerable() } else { property });
    if put.is_err() {
        // Refused on a frozen object: then every read makes it anew.
        ctx.catch();
        return Ok(());
    }
    class.borrow().state.held.borrow_mut().push((name.clone(), was));
    Ok(())
}

/// A method, as a function that all host objects share: it goes to the one that it is called on.
fn method<'js>(script: &Rc<Script>, ctx: &Ctx<'js>, name: &'static str) -> Result<Function<'js>> {
    let known = script.host_methods.borrow().get(name).cloned();
    if let Some(known) = known {
        return known.restore(ctx);
    }
    let engine = script.clone();
    let call = move |ctx: Ctx<'js>, this: This<JsValue<'js>>, args: Rest<JsValue<'js>>| -> Result<JsValue<'js>> {
        let object = this.0.as_object().filter(|object| object.instance_of::<HostView>());
        let Some(object) = object else {
            return Err(Exception::throw_type(&ctx, &format!("{name} was called on something else than its object")));
        };
        engine.settle_held(&ctx, object)?;
        let host = Class::<HostView>::from_value(object.as_value())?.borrow().host();
        match name {
            "on" | "once" | "addListener" => {
                host_events::listen(&engine, &ctx, &host, &args, name == "once")?;
                return Ok(this.0);
            }
            "format" => {
                host_events::format(&ctx, &host, object, &args)?;
                return Ok(this.0);
            }
            _ => {}
        }
        let args = args.0.iter().map(|arg| engine.export(&ctx, arg)).collect::<Result<Vec<_>>>()?;
        match host.call(name, &args) {
            Ok(Value::Undefined) => Ok(this.0),
            Ok(value) => engine.import(&ctx, &value),
            Err(text) => Err(Exception::throw_message(&ctx, &text)),
        }
    };
    let made = Function::new(ctx.clone(), call)?.with_name(name)?;
    if script.may_keep() {
        script.host_methods.borrow_mut().insert(name, Persistent::save(ctx, made.clone()));
    }
    Ok(made)
}

impl Script {
    /// The end of a run: tells host objects what the run wrote onto them.
    pub(super) fn settle_hosts(self: &Rc<Self>, ctx: &Ctx<'_>) -> Result<()> {
        if self.hosts.borrow().is_empty() {
            return Ok(());
        }
        let hosts = std::mem::take(&mut *self.hosts.borrow_mut());
        hosts.into_iter().try_for_each(|object| self.settle_host(ctx, &object.restore(ctx)?))
    }

    /// As [`Script::settle_host`], when a property of it was read or assigned that may have changed since.
    fn settle_held<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, object: &JsObject<'js>) -> Result<()> {
        let untouched = Class::<HostView>::from_value(object.as_value())?.borrow().state.held.borrow().is_empty();
        if untouched { Ok(()) } else { self.settle_host(ctx, object) }
    }

    /// Tells the host object what the script wrote onto its view.
    pub(super) fn settle_host<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, object: &JsObject<'js>) -> Result<()> {
        let class = Class::<HostView>::from_value(object.as_value())?;
        let view = class.borrow();
        if view.state.settling.replace(true) {
            return Ok(());
        }
        let settled = self.settle_properties(ctx, object, &view);
        view.state.settling.set(false);
        settled
    }

    fn settle_properties<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, object: &JsObject<'js>, view: &HostView) -> Result<()> {
        let (host, names) = (&view.host.0, &view.state.names);
        let refused = |text: String| Exception::throw_type(ctx, &text);
        let mut seen = 0;
        for key in object.own_keys::<Atom<'js>>(Filter::default()) {
            let key = key?;
            let name = self.name_of(ctx, &key)?;
            let held = view.state.held.borrow().iter().rposition(|(held, _)| *held == name);
            if names.contains(&name) {
                seen += 1;
                if held.is_none() {
                    continue;
                }
            }
            let value = self.export(ctx, &object.get::<_, JsValue<'js>>(key)?)?;
            let mut all = view.state.held.borrow_mut();
            match held.and_then(|at| all.get_mut(at)) {
                Some((_, was)) if identical(was, &value) => continue,
                Some((_, was)) => was.clone_from(&value),
                None => all.push((name.clone(), value.clone())),
            }
            drop(all);
            host.set(&name, value).map_err(refused)?;
        }
        if seen < names.len() {
            for name in names {
                if !object.contains_key(name.as_str())? {
                    host.set(name, Value::Undefined).map_err(refused)?;
                }
            }
        }
        Ok(())
    }
}
