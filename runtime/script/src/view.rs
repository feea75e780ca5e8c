//! Messages as scripts see them: objects whose larger properties are made when they are first touched.
//!
//! A view is an ordinary object with every property in its place. Small values are plain data properties; containers and
//! long strings are accessors that replace themselves by a data property on the first read or write. What is never
//! touched goes back as the same `Arc`. Code that goes by property names alone gets cheaper ones: see [`super::slim`].

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use rquickjs::class::{JsClass, Readable, Trace, Tracer};
use rquickjs::function::Constructor;
use rquickjs::function::This;
use rquickjs::object::{AsProperty, Property, PropertyFlags};
use rquickjs::{Atom, Class, Ctx, Function, Object as JsObject, Persistent, Result, Value as JsValue, qjs};

use flotilla_value::{Object, Str, Value};

use super::engine::Script;

/// Strings up to this many bytes are made at once; longer ones on first touch.
const SHORT: usize = 256;
/// Accessors kept for reuse, by property name.
const ACCESSORS: usize = 1024;

/// What a view was made from.
#[derive(rquickjs::JsLifetime)]
pub(super) struct View {
    pub(super) source: Source,
    pub(super) made: Made,
    /// Set while the value goes back: the next accessor answers "not touched" instead of making the property.
    pub(super) peek: Cell<bool>,
}

/// Where the properties are.
pub(super) enum Made {
    /// In the object itself: what they were made as, in the order of the source. A property that still has the same value
    /// was not changed, and need not be converted to know it.
    Whole(Vec<Persistent<JsValue<'static>>>),
    /// On the shared prototype, until touched: see [`super::slim`].
    Slim,
}

/// The object behind a view. A type of its own, because the lifetime derive looks into generic types.
pub(super) struct Source(pub(super) Arc<Object>);

impl<'js> Trace<'js> for View {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

impl<'js> JsClass<'js> for View {
    const NAME: &'static str = "Object";
    type Mutable = Readable;

    fn constructor(_ctx: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

/// An accessor made of functions that exist already.
pub(super) struct SharedAccessor<'js> {
    pub(super) get: Function<'js>,
    pub(super) set: Function<'js>,
}

impl<'js> AsProperty<'js, ()> for SharedAccessor<'js> {
    fn config(self, ctx: &Ctx<'js>) -> Result<(PropertyFlags, JsValue<'js>, JsValue<'js>, JsValue<'js>)> {
        let flags = qjs::JS_PROP_HAS_GET
            | qjs::JS_PROP_HAS_SET
            | qjs::JS_PROP_CONFIGURABLE
            | qjs::JS_PROP_HAS_CONFIGURABLE
            | qjs::JS_PROP_ENUMERABLE
            | qjs::JS_PROP_HAS_ENUMERABLE;
        Ok((flags as PropertyFlags, JsValue::new_undefined(ctx.clone()), self.get.into_value(), self.set.into_value()))
    }
}

/// A property as an assignment makes it.
pub(super) fn data(value: JsValue<'_>) -> Property<JsValue<'_>> {
    Property::from(value).writable().configurable().enumerable()
}

/// True when a property of this value is made on first touch.
pub(super) fn is_lazy(value: &Value) -> bool {
    match value {
        Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.len() > SHORT,
        _ => true,
    }
}

type Accessors = (Persistent<Function<'static>>, Persistent<Function<'static>>);

impl Script {
    /// A view of an object.
    pub(super) fn view<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, source: &Arc<Object>) -> Result<JsValue<'js>> {
        if self.slim.get()
            && let Some(view) = self.slim_view(ctx, source)?
        {
            return Ok(view);
        }
        let proto = self.realm().view_proto.clone().restore(ctx)?;
        let mut values = Vec::with_capacity(source.len());
        let mut made = Vec::with_capacity(source.len());
        for (key, value) in source.iter() {
            let value = match is_lazy(value) {
                true => JsValue::new_uninitialized(ctx.clone()),
                false => self.import(ctx, value)?,
            };
            made.push(Persistent::save(ctx, value.clone()));
            values.push((key, value));
        }
        let view = View { source: Source(source.clone()), made: Made::Whole(made), peek: Cell::new(false) };
        let object = Class::instance_proto(view, proto)?.into_inner();
        let mut rest = values.as_slice();
        while !rest.is_empty() {
            let plain = rest.iter().take_while(|(_, value)| !is_uninitialized(value)).count();
            let (run, after) = rest.split_at(plain);
            self.set_all(ctx, &object, run)?;
            rest = after;
            if let Some(((key, _), after)) = rest.split_first() {
                object.prop(key.as_str(), self.accessor(ctx, key)?)?;
                rest = after;
            }
        }
        Ok(object.into_value())
    }

    pub(super) fn accessor<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, key: &Str) -> Result<SharedAccessor<'js>> {
        if let Some((get, set)) = self.accessors.borrow().get(key) {
            return Ok(SharedAccessor { get: get.clone().restore(ctx)?, set: set.clone().restore(ctx)? });
        }
        let atom = Persistent::save(ctx, Atom::from_str(ctx.clone(), key)?);
        let (name, of, engine) = (key.clone(), atom.clone(), self.clone());
        let get = Function::new(ctx.clone(), move |ctx: Ctx<'js>, this: This<JsValue<'js>>| {
            engine.touch(&ctx, &this.0, &name, of.clone().restore(&ctx)?)
        })?;
        let set = move |ctx: Ctx<'js>, this: This<JsValue<'js>>, value: JsValue<'js>| -> Result<()> {
            match this.0.as_object() {
                Some(object) => object.prop(atom.clone().restore(&ctx)?, data(value)),
                None => Ok(()),
            }
        };
        let set = Function::new(ctx.clone(), set)?;
        if !self.may_keep() {
            return Ok(SharedAccessor { get, set });
        }
        let kept: Accessors = (Persistent::save(ctx, get.clone()), Persistent::save(ctx, set.clone()));
        let mut accessors = self.accessors.borrow_mut();
        if accessors.len() >= ACCESSORS {
            accessors.clear();
        }
        accessors.insert(key.clone(), kept);
        Ok(SharedAccessor { get, set })
    }

    /// The first read of a lazy property: makes it, and puts it in the accessor's place.
    fn touch<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        this: &JsValue<'js>,
        key: &Str,
        atom: Atom<'js>,
    ) -> Result<JsValue<'js>> {
        let mut holder = this.as_object().cloned();
        while let Some(object) = holder {
            if let Some(class) = Class::<View>::from_object(&object) {
                let view = class.borrow();
                if view.peek.take() {
                    return Ok(JsValue::new_uninitialized(ctx.clone()));
                }
                let value = view.source.0.get(key).cloned().unwrap_or_default();
                drop(view);
                let made = self.import(ctx, &value)?;
                // Refused on a frozen object: then every read makes it anew.
                if object.prop(atom, data(made.clone())).is_err() {
                    ctx.catch();
                }
                return Ok(made);
            }
            holder = object.get_prototype();
        }
        Ok(JsValue::new_undefined(ctx.clone()))
    }

    /// The value of a view: the same `Arc` when nothing was changed, else a new object that shares what was not touched.
    pub(super) fn unview<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        object: &JsObject<'js>,
        path: &mut Vec<JsValue<'js>>,
    ) -> Result<Value> {
        let class = Class::<View>::from_value(object.as_value())?;
        let view = class.borrow();
        let source = &view.source.0;
        let Made::Whole(all_made) = &view.made else { return self.unslim(ctx, object, source, path) };
        let mut expected = source.iter();
        let mut seen = 0;
        // Values that changed while the keys are still those of the source, in its order.
        let mut edits: Vec<(Str, Value)> = Vec::new();
        let mut rebuilt: Option<Object> = None;
        for key in object.own_keys::<Atom<'js>>(rquickjs::object::Filter::default()) {
            let key = key?;
            let name = self.name_of(ctx, &key)?;
            let at = expected.len();
            let (in_place, original) = match expected.next() {
                Some((at, value)) if *at == name => (true, Some(value)),
                _ => (false, source.get(&name)),
            };
            view.peek.set(original.is_some_and(is_lazy));
            let value = object.get::<_, JsValue<'js>>(key)?;
            view.peek.set(false);
            let made = all_made.get(source.len() - at).filter(|_| in_place && rebuilt.is_none());
            if let Some(made) = made
                && made.clone().restore(ctx)? == value
            {
                seen += 1;
                continue;
            }
            let value = match original {
                Some(original) if is_uninitialized(&value) => original.clone(),
                _ => self.export_at(ctx, &value, path)?,
            };
            match &mut rebuilt {
                Some(object) => {
                    object.insert(name, value);
                }
                None if in_place => {
                    seen += 1;
                    if !original.is_some_and(|original| identical(original, &value)) {
                        edits.push((name, value));
                    }
                }
                None => {
                    let mut object = edited(source, seen, std::mem::take(&mut edits));
                    object.insert(name, value);
                    rebuilt = Some(object);
                }
            }
        }
        Ok(match rebuilt {
            Some(object) => Value::from(object),
            None if seen == source.len() && edits.is_empty() => Value::Object(source.clone()),
            None => Value::from(edited(source, seen, edits)),
        })
    }
}

/// What stands for a property that is made on first touch.
fn is_uninitialized(value: &JsValue<'_>) -> bool {
    value.type_of() == rquickjs::Type::Uninitialized
}

/// The first `count` properties of an object, with these values in the place of theirs.
fn edited(source: &Object, count: usize, edits: Vec<(Str, Value)>) -> Object {
    let mut object = if count == source.len() {
        source.clone()
    } else {
        source.iter().take(count).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    for (key, value) in edits {
        object.insert(key, value);
    }
    object
}

/// True when putting `b` in the place of `a` would change nothing; containers only when they are the same one.
pub(super) fn identical(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a.to_bits() == b.to_bits(),
        (Value::Date(a), Value::Date(b)) => a.to_bits() == b.to_bits(),
        (Value::String(a), Value::String(b)) | (Value::BigInt(a), Value::BigInt(b)) => a == b,
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        (Value::Array(a), Value::Array(b)) | (Value::Set(a), Value::Set(b)) => Arc::ptr_eq(a, b),
        (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b),
        (Value::Error(a), Value::Error(b)) => Arc::ptr_eq(a, b),
        (Value::Host(a), Value::Host(b)) => Arc::ptr_eq(a, b),
        (Value::Buffer(a), Value::Buffer(b)) => a.len() == b.len() && (a.as_ptr() == b.as_ptr() || a == b),
        _ => false,
    }
}
