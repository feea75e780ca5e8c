//! Long arrays as scripts see them: a proxy that makes an element when it is first read.
//!
//! Reads of elements and of `length` stay lazy, up to a number; anything else (a method, an iteration, a write) makes the
//! whole array and takes the traps away, so that from then on the proxy is a plain forward to a plain array.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use rquickjs::class::{JsClass, Readable, Trace, Tracer};
use rquickjs::function::{Constructor, This};
use rquickjs::proxy::{Proxy, ProxyHandler};
use rquickjs::{Array, Class, Ctx, Function, Object as JsObject, Result, Value as JsValue};

use flotilla_value::Value;

use super::engine::Script;
use super::view::identical;

/// Arrays of containers from this length on are lazy.
const CONTAINERS: usize = 8;
/// Arrays of anything from this length on are lazy.
const ANY: usize = 64;
/// After this many elements were read one by one the rest is made too.
const READS: u32 = 24;

/// The handler of a lazy array's proxy.
#[derive(rquickjs::JsLifetime)]
pub(super) struct LazyArray {
    items: Items,
}

struct Items {
    source: Arc<Vec<Value>>,
    made: RefCell<Vec<bool>>,
    reads: Cell<u32>,
    whole: Cell<bool>,
}

impl<'js> Trace<'js> for LazyArray {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

impl<'js> JsClass<'js> for LazyArray {
    const NAME: &'static str = "LazyArray";
    type Mutable = Readable;

    fn constructor(_ctx: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

/// True when an array is worth a proxy.
pub(super) fn is_lazy(items: &[Value]) -> bool {
    items.len() >= ANY
        || (items.len() >= CONTAINERS && items.iter().any(|item| matches!(item, Value::Object(_) | Value::Array(_))))
}

/// Adds what `prelude/lazy_array.js` builds its traps on.
pub(super) fn add_natives<'js>(script: &Rc<Script>, natives: &JsObject<'js>) -> Result<()> {
    let ctx = natives.ctx().clone();
    let engine = script.clone();
    let read = move |ctx: Ctx<'js>, this: This<JsObject<'js>>, target: Array<'js>, key: JsValue<'js>| {
        engine.read_element(&ctx, &this.0, &target, &key)
    };
    natives.set("readElement", Function::new(ctx.clone(), read)?)?;
    let engine = script.clone();
    let fill = move |ctx: Ctx<'js>, handler: JsObject<'js>, target: Array<'js>| engine.fill(&ctx, &handler, &target);
    natives.set("fillArray", Function::new(ctx, fill)?)
}

impl Script {
    /// A lazy array.
    pub(super) fn lazy_array<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, source: &Arc<Vec<Value>>) -> Result<JsValue<'js>> {
        let proto: JsObject<'js> = self.realm().tools.clone().restore(ctx)?.get("lazyArray")?;
        let items = Items {
            source: source.clone(),
            made: RefCell::new(vec![false; source.len()]),
            reads: Cell::new(0),
            whole: Cell::new(false),
        };
        let handler = Class::instance_proto(LazyArray { items }, proto)?.into_inner();
        let target: JsObject<'js> = self.tool(ctx, "blank")?.call((source.len() as f64,))?;
        Ok(Proxy::new(ctx.clone(), target, ProxyHandler::from_object(handler)?)?.into_value())
    }

    fn read_element<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        handler: &JsObject<'js>,
        target: &Array<'js>,
        key: &JsValue<'js>,
    ) -> Result<JsValue<'js>> {
        let name = if key.is_string() { super::export::text(key)? } else { flotilla_value::Str::default() };
        if name == "length" {
            return target.as_object().get("length");
        }
        let index = name.parse::<usize>().ok().filter(|_| name == "0" || !name.starts_with(['0', '+']));
        let class = Class::<LazyArray>::from_value(handler.as_value())?;
        let lazy = class.borrow();
        let Some((index, value)) = index.and_then(|at| Some((at, lazy.items.source.get(at)?))) else {
            self.fill(ctx, handler, target)?;
            return target.as_object().get(rquickjs::Atom::from_value(ctx.clone(), key)?);
        };
        if lazy.items.whole.get() || lazy.items.made.borrow()[index] {
            return target.get(index);
        }
        let made = self.import(ctx, value)?;
        target.set(index, made.clone())?;
        lazy.items.made.borrow_mut()[index] = true;
        lazy.items.reads.set(lazy.items.reads.get() + 1);
        if lazy.items.reads.get() > READS {
            self.fill(ctx, handler, target)?;
        }
        Ok(made)
    }

    /// Makes every element that is not made yet, and takes the traps away.
    fn fill<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, handler: &JsObject<'js>, target: &Array<'js>) -> Result<()> {
        let class = Class::<LazyArray>::from_value(handler.as_value())?;
        let lazy = class.borrow();
        if lazy.items.whole.replace(true) {
            return Ok(());
        }
        for (at, value) in lazy.items.source.iter().enumerate() {
            if !lazy.items.made.borrow()[at] {
                target.set(at, self.import(ctx, value)?)?;
            }
        }
        handler.set_prototype(None)
    }

    /// The plain array behind a lazy one, made whole; `None` for anything else.
    pub(super) fn whole_array<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        value: &JsValue<'js>,
    ) -> Result<Option<Array<'js>>> {
        let Some(proxy) = value.as_proxy() else { return Ok(value.as_array().cloned()) };
        let target = proxy.target()?;
        let handler = proxy.handler()?;
        let Some(array) = target.into_array() else { return Ok(None) };
        if handler.instance_of::<LazyArray>() {
            self.fill(ctx, &handler, &array)?;
        }
        Ok(Some(array))
    }

    /// The value of a proxy: a lazy array's source where nothing was touched. A script's own proxies are read through.
    pub(super) fn export_proxy<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        proxy: &Proxy<'js>,
        path: &mut Vec<JsValue<'js>>,
    ) -> Result<Option<Value>> {
        let handler = proxy.handler()?;
        let Some(class) = Class::<LazyArray>::from_object(&handler) else { return Ok(None) };
        let lazy = class.borrow();
        let target = proxy.target()?;
        let Some(array) = target.as_array() else { return Ok(None) };
        let (source, whole) = (&lazy.items.source, lazy.items.whole.get());
        let mut items = Vec::with_capacity(if whole { array.len() } else { 0 });
        let mut same = array.len() == source.len();
        if !whole && !lazy.items.made.borrow().contains(&true) {
            return Ok(Some(Value::Array(source.clone())));
        }
        for at in 0..array.len() {
            let made = whole || lazy.items.made.borrow().get(at) == Some(&true);
            let item = if made { self.export_at(ctx, &array.get(at)?, path)? } else { source[at].clone() };
            same = same && source.get(at).is_some_and(|was| identical(was, &item));
            items.push(item);
        }
        Ok(Some(if same { Value::Array(source.clone()) } else { Value::array(items) }))
    }
}
