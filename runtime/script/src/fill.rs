//! Setting many properties of a view with one call: a small function per run of property names that messages repeat.
//!
//! A property set from outside costs QuickJS a search for its name; in a compiled function the names are there already.

use rquickjs::function::Args;
use rquickjs::{Ctx, Function, Object as JsObject, Persistent, Result, Value as JsValue};

use flotilla_value::Str;

use super::engine::Script;
use super::view::data;

/// Shorter runs are set one by one.
const SHORTEST: usize = 3;
/// QuickJS takes more arguments; objects with so many properties are rarely all alike.
const LONGEST: usize = 64;

fn source(names: &[Str]) -> String {
    let arguments: String = (0..names.len()).map(|at| format!(",a{at}")).collect();
    let name = |name: &Str| serde_json::Value::from(name.as_str()).to_string();
    let sets: String = names.iter().enumerate().map(|(at, key)| format!("o[{}]=a{at};", name(key))).collect();
    format!("(o{arguments})=>{{{sets}}}")
}

impl Script {
    /// Sets properties that the object does not have yet, in this order.
    pub(super) fn set_all<'js>(
        &self,
        ctx: &Ctx<'js>,
        object: &JsObject<'js>,
        properties: &[(&Str, JsValue<'js>)],
    ) -> Result<()> {
        if (SHORTEST..=LONGEST).contains(&properties.len()) && self.may_keep() {
            let filler = self.fillers.borrow_mut().of(properties.iter().map(|(name, _)| *name), |names| {
                Ok(Persistent::save(ctx, ctx.eval::<Function<'js>, _>(source(names))?))
            })?;
            if let Some(filler) = filler {
                let mut args = Args::new(ctx.clone(), properties.len() + 1);
                args.push_arg(object.clone())?;
                for (_, value) in properties {
                    args.push_arg(value.clone())?;
                }
                return filler.restore(ctx)?.call_arg(args);
            }
        }
        properties.iter().try_for_each(|(name, value)| object.prop(name.as_str(), data(value.clone())))
    }
}
