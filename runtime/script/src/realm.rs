//! The realm's contents: what the prelude defines, and the objects that conversions need.

use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{Ctx, FromJs, Function, Object as JsObject, Persistent, Result, Value as JsValue};

use super::engine::{Realm, Script};
use super::realms::Builtins;

/// The prelude in the order of its evaluation. Each file is one function of the natives.
const PRELUDE: &[(&str, &str)] = &[
    ("prelude/errors.js", include_str!("prelude/errors.js")),
    ("prelude/brands.js", include_str!("prelude/brands.js")),
    ("prelude/buffer_checks.js", include_str!("prelude/buffer_checks.js")),
    ("prelude/util.js", include_str!("prelude/util.js")),
    ("prelude/encoding.js", include_str!("prelude/encoding.js")),
    ("prelude/buffer.js", include_str!("prelude/buffer.js")),
    ("prelude/buffer_methods.js", include_str!("prelude/buffer_methods.js")),
    ("prelude/buffer_numbers.js", include_str!("prelude/buffer_numbers.js")),
    ("prelude/url.js", include_str!("prelude/url.js")),
    ("prelude/clone.js", include_str!("prelude/clone.js")),
    ("prelude/crypto.js", include_str!("prelude/crypto.js")),
    ("prelude/console.js", include_str!("prelude/console.js")),
    ("prelude/intl_locales.js", include_str!("prelude/intl_locales.js")),
    ("prelude/intl_dates.js", include_str!("prelude/intl_dates.js")),
    ("prelude/intl_numbers.js", include_str!("prelude/intl_numbers.js")),
    ("prelude/intl.js", include_str!("prelude/intl.js")),
    ("prelude/red_util.js", include_str!("prelude/red_util.js")),
    ("prelude/modules.js", include_str!("prelude/modules.js")),
];

/// Evaluates a script as sloppy or strict global code under a file name.
pub(super) fn eval<'js, V: FromJs<'js>>(ctx: &Ctx<'js>, file: &str, source: &str, strict: bool) -> Result<V> {
    let mut options = EvalOptions::default();
    options.strict = strict;
    options.filename = Some(file.to_owned());
    ctx.eval_with_options(source, options)
}

pub(super) fn make(script: &Rc<Script>, ctx: &Ctx<'_>, builtins: Builtins) -> Result<Realm> {
    let natives = super::natives::make(script, ctx)?;
    for (file, source) in PRELUDE {
        let define: Function<'_> = eval(ctx, file, source, true)?;
        define.call::<_, ()>((natives.clone(),))?;
    }
    let tools: Function<'_> = eval(ctx, "prelude/tools.js", include_str!("prelude/tools.js"), true)?;
    let tools: JsObject<'_> = tools.call((natives.clone(),))?;
    let object: JsObject<'_> = ctx.globals().get("Object")?;
    let object_proto: JsObject<'_> = object.get("prototype")?;
    let view_proto = JsObject::new_proto(ctx.clone(), Some(&object_proto))?;
    view_proto.prop("constructor", rquickjs::object::Property::from(object).writable().configurable())?;
    let host_proto = JsObject::new_proto(ctx.clone(), Some(&object_proto))?;
    let buffer: JsObject<'_> = ctx.globals().get("Buffer")?;
    let sandbox: Function<'_> = eval(ctx, "prelude/sandbox.js", include_str!("prelude/sandbox.js"), true)?;
    tools.set("sandbox", sandbox)?;
    tools.set("loadModule", natives.get::<_, Function<'_>>("loadModule")?)?;
    let traps: Function<'_> = eval(ctx, "prelude/lazy_array.js", include_str!("prelude/lazy_array.js"), true)?;
    tools.set("lazyArray", traps.call::<_, JsObject<'_>>((natives.clone(),))?)?;
    let kind_of: Function<'_> = tools.get("kindOf")?;
    if builtins == Builtins::Frozen {
        let freeze: Function<'_> = eval(ctx, "prelude/freeze.js", include_str!("prelude/freeze.js"), true)?;
        freeze.call::<_, ()>(())?;
    }
    Ok(Realm {
        view_proto: Persistent::save(ctx, view_proto),
        object_proto: Persistent::save(ctx, JsValue::from(object_proto)),
        host_proto: Persistent::save(ctx, host_proto),
        buffer_proto: Persistent::save(ctx, buffer.get::<_, JsObject<'_>>("prototype")?),
        kind_of: Persistent::save(ctx, kind_of),
        tools: Persistent::save(ctx, tools),
    })
}
