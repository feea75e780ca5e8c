//! Live host objects (`msg.req`, `msg.res`) as scripts see them.

use std::cell::RefCell;
use std::sync::Arc;

use rquickjs::class::{JsClass, Readable, Trace, Tracer};
use rquickjs::function::Constructor;
use rquickjs::function::{Rest, This};
use rquickjs::{Class, Ctx, Exception, Function, Result, Value as JsValue};

use crate::value::{HostObject, Str, Value};

use super::engine::Script;
use super::view::{SharedAccessor, data};

/// The host object behind a script's object. Properties are read anew each time; a script's own assignment shadows them.
#[derive(rquickjs::JsLifetime)]
pub(super) struct HostView {
    host: Shared,
}

struct Shared(Arc<dyn HostObject>);

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

thread_local! {
    /// Accessors by property name: host objects of a kind have the same few.
    static ACCESSORS: RefCell<Vec<(Str, rquickjs::Persistent<Function<'static>>)>> = const { RefCell::new(Vec::new()) };
}

impl HostView {
    pub(super) fn host(&self) -> Arc<dyn HostObject> {
        self.host.0.clone()
    }

    /// The object for a host object: its keys as properties, its methods as functions.
    pub(super) fn make<'js>(
        script: &'static Script,
        ctx: &Ctx<'js>,
        host: &Arc<dyn HostObject>,
    ) -> Result<JsValue<'js>> {
        let proto = script.realm().host_proto.clone().restore(ctx)?;
        let object = Class::instance_proto(HostView { host: Shared(host.clone()) }, proto)?.into_inner();
        for key in host.keys() {
            let get = getter(script, ctx, &key)?;
            let name = key.clone();
            let set = Function::new(ctx.clone(), move |this: This<JsValue<'js>>, value: JsValue<'js>| -> Result<()> {
                match this.0.as_object() {
                    Some(object) => object.prop(name.as_str(), data(value)),
                    None => Ok(()),
                }
            })?;
            object.prop(key.as_str(), SharedAccessor { get, set })?;
        }
        for method in host.methods() {
            let (method, host) = (*method, host.clone());
            let own = object.clone();
            let call = Function::new(
                ctx.clone(),
                move |ctx: Ctx<'js>, this: This<JsValue<'js>>, args: Rest<JsValue<'js>>| {
                    let args = args.0.iter().map(|arg| script.export(&ctx, arg)).collect::<Result<Vec<_>>>()?;
                    match host.call(method, &args) {
                        Ok(Value::Undefined) => Ok(this.0),
                        Ok(value) => script.import(&ctx, &value),
                        Err(text) => Err(Exception::throw_message(&ctx, &text)),
                    }
                },
            )?;
            own.prop(method, rquickjs::object::Property::from(call.with_name(method)?).writable().configurable())?;
        }
        Ok(object.into_value())
    }
}

fn getter<'js>(script: &'static Script, ctx: &Ctx<'js>, key: &Str) -> Result<Function<'js>> {
    let known = ACCESSORS.with(|all| all.borrow().iter().find(|(name, _)| name == key).map(|(_, get)| get.clone()));
    if let Some(get) = known {
        return get.restore(ctx);
    }
    let name = key.clone();
    let get = Function::new(ctx.clone(), move |ctx: Ctx<'js>, this: This<JsValue<'js>>| {
        let host = this.0.as_object().and_then(Script::host_of);
        script.import(&ctx, &host.map(|host| host.get(&name)).unwrap_or_default())
    })?;
    ACCESSORS.with(|all| all.borrow_mut().push((key.clone(), rquickjs::Persistent::save(ctx, get.clone()))));
    Ok(get)
}
