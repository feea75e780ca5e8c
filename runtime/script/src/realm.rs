//! The realm's contents: what the prelude defines, and the objects that conversions need.

use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::loader::{self, Loader};
use rquickjs::{Ctx, FromJs, Function, Object as JsObject, Persistent, Result, Value as JsValue};

use super::engine::{Realm, Script};
use super::realms::Builtins;

/// The prelude in the order of its evaluation. Each file is one function of the natives.
const PRELUDE: &[&str] = &[
    "prelude/errors.js",
    "prelude/brands.js",
    "prelude/buffer_checks.js",
    "prelude/util.js",
    "prelude/encoding.js",
    "prelude/buffer.js",
    "prelude/buffer_methods.js",
    "prelude/buffer_numbers.js",
    "prelude/url.js",
    "prelude/clone.js",
    "prelude/crypto.js",
    "prelude/console.js",
    "prelude/intl_locales.js",
    "prelude/intl_dates.js",
    "prelude/intl_numbers.js",
    "prelude/intl.js",
    "prelude/red_util.js",
    "prelude/modules.js",
];

/// The prelude's files, compiled by `build.rs`: to parse them is more than half of the work of making a realm.
static COMPILED: loader::Bundle = loader::bundle::Bundle(include!(concat!(env!("OUT_DIR"), "/prelude.rs")));

/// What a file of the prelude is: most are functions of the natives.
pub(super) fn prelude<'js>(ctx: &Ctx<'js>, file: &str) -> Result<Function<'js>> {
    let mut compiled = COMPILED;
    let (module, evaluated) = compiled.load(ctx, file, None)?.eval()?;
    evaluated.finish::<()>()?;
    module.get("default")
}

/// Evaluates a script as sloppy or strict global code under a file name.
pub(super) fn eval<'js, V: FromJs<'js>>(ctx: &Ctx<'js>, file: &str, source: &str, strict: bool) -> Result<V> {
    let mut options = EvalOptions::default();
    options.strict = strict;
    options.filename = Some(file.to_owned());
    ctx.eval_with_options(source, options)
}

pub(super) fn make(script: &Rc<Script>, ctx: &Ctx<'_>, builtins: Builtins) -> Result<Realm> {
    let natives = super::natives::make(script, ctx)?;
    for file in PRELUDE {
        prelude(ctx, file)?.call::<_, ()>((natives.clone(),))?;
    }
    let tools: JsObject<'_> = prelude(ctx, "prelude/tools.js")?.call((natives.clone(),))?;
    let object: JsObject<'_> = ctx.globals().get("Object")?;
    let object_proto: JsObject<'_> = object.get("prototype")?;
    let view_proto = JsObject::new_proto(ctx.clone(), Some(&object_proto))?;
    view_proto.prop("constructor", rquickjs::object::Property::from(object).writable().configurable())?;
    let host_proto = JsObject::new_proto(ctx.clone(), Some(&object_proto))?;
    let buffer: JsObject<'_> = ctx.globals().get("Buffer")?;
    tools.set("sandbox", prelude(ctx, "prelude/sandbox.js")?)?;
    tools.set("loadModule", natives.get::<_, Function<'_>>("loadModule")?)?;
    let traps = prelude(ctx, "prelude/lazy_array.js")?;
    tools.set("lazyArray", traps.call::<_, JsObject<'_>>((natives.clone(),))?)?;
    let kind_of: Function<'_> = tools.get("kindOf")?;
    if builtins == Builtins::Frozen {
        prelude(ctx, "prelude/freeze.js")?.call::<_, ()>(())?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What is compiled and never evaluated would be missed by nobody.
    #[test]
    fn each_file_of_the_prelude_is_compiled_and_has_its_place() {
        let others = ["tools", "sandbox", "lazy_array", "freeze", "settings_file"];
        let others = others.map(|name| format!("prelude/{name}.js"));
        let known: BTreeSet<&str> = PRELUDE.iter().copied().chain(others.iter().map(String::as_str)).collect();
        let compiled: BTreeSet<&str> = COMPILED.iter().map(|(name, _)| *name).collect();
        assert_eq!(compiled, known);
    }
}
