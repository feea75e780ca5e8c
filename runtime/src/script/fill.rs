//! Setting many properties of a view with one call: a small function per run of property names that messages repeat.
//!
//! A property set from outside costs QuickJS a search for its name; in a compiled function the names are there already.

use std::hash::{Hash, Hasher};

use rquickjs::function::Args;
use rquickjs::{Ctx, Function, Object as JsObject, Persistent, Result, Value as JsValue};
use rustc_hash::{FxHashMap, FxHasher};

use crate::value::Str;

use super::engine::Script;
use super::view::data;

/// Shorter runs are set one by one.
const SHORTEST: usize = 3;
/// QuickJS takes more arguments; objects with so many properties are rarely all alike.
const LONGEST: usize = 64;
/// Runs of names that are remembered.
const KEPT: usize = 1024;

/// A run of property names, and its function from the second time on.
struct Run {
    names: Vec<Str>,
    function: Option<Persistent<Function<'static>>>,
}

/// The runs of one worker, by hash.
#[derive(Default)]
pub(super) struct Runs(FxHashMap<u64, Run>);

/// True when an assignment makes this name an ordinary property in its place.
fn is_plain(name: &str) -> bool {
    name != "__proto__" && !name.as_bytes().first().is_none_or(u8::is_ascii_digit)
}

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
        if let Some(function) = self.filler(ctx, properties)? {
            let mut args = Args::new(ctx.clone(), properties.len() + 1);
            args.push_arg(object.clone())?;
            for (_, value) in properties {
                args.push_arg(value.clone())?;
            }
            return function.call_arg(args);
        }
        properties.iter().try_for_each(|(name, value)| object.prop(name.as_str(), data(value.clone())))
    }

    fn filler<'js>(&self, ctx: &Ctx<'js>, properties: &[(&Str, JsValue<'js>)]) -> Result<Option<Function<'js>>> {
        if !(SHORTEST..=LONGEST).contains(&properties.len()) {
            return Ok(None);
        }
        let mut hasher = FxHasher::default();
        properties.iter().for_each(|(name, _)| name.as_str().hash(&mut hasher));
        let hash = hasher.finish();
        let mut runs = self.runs.borrow_mut();
        if let Some(run) = runs.0.get_mut(&hash) {
            let same = run.names.len() == properties.len()
                && run.names.iter().zip(properties).all(|(kept, (name, _))| kept == *name);
            if !same || !run.names.iter().all(|name| is_plain(name)) {
                return Ok(None);
            }
            if let Some(function) = &run.function {
                return function.clone().restore(ctx).map(Some);
            }
            let function: Function<'js> = ctx.eval(source(&run.names))?;
            run.function = Some(Persistent::save(ctx, function.clone()));
            return Ok(Some(function));
        }
        if runs.0.len() >= KEPT {
            runs.0.clear();
        }
        let names = properties.iter().map(|(name, _)| (*name).clone()).collect();
        runs.0.insert(hash, Run { names, function: None });
        Ok(None)
    }
}
