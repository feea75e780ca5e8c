//! From our values to JavaScript's.

use std::rc::Rc;

use rquickjs::{
    ArrayBuffer, Class, Ctx, Function, Object as JsObject, Result, String as JsString, TypedArray, Value as JsValue,
};

use flotilla_value::{ErrorValue, Value};

use super::engine::Script;
use super::host_view::HostView;
use super::view::data;

impl Script {
    /// The value as scripts see it; objects become views.
    pub(super) fn import<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, value: &Value) -> Result<JsValue<'js>> {
        Ok(match value {
            Value::Undefined => JsValue::new_undefined(ctx.clone()),
            Value::Null => JsValue::new_null(ctx.clone()),
            Value::Bool(flag) => JsValue::new_bool(ctx.clone(), *flag),
            Value::Number(number) => JsValue::new_number(ctx.clone(), *number),
            Value::String(text) => JsString::from_str(ctx.clone(), text)?.into_value(),
            Value::Object(object) => self.view(ctx, object)?,
            Value::Array(items) if super::lazy_array::is_lazy(items) => self.lazy_array(ctx, items)?,
            Value::Array(items) => self.array(ctx, items)?,
            Value::Buffer(bytes) => self.buffer(ctx, bytes)?,
            Value::Date(ms) => self.tool(ctx, "date")?.call((*ms,))?,
            Value::BigInt(digits) => self.tool(ctx, "bigint")?.call((digits.as_str(),))?,
            Value::RegExp(regexp) => self.tool(ctx, "regexp")?.call((regexp.source.as_str(), regexp.flags.as_str()))?,
            Value::Typed(array) => {
                let bytes = ArrayBuffer::new_copy(ctx.clone(), &array.bytes)?;
                self.tool(ctx, "typed")?.call((array.kind.as_str(), bytes))?
            }
            Value::Error(error) => self.error(ctx, error)?,
            Value::Map(pairs) => {
                let flat = pairs.iter().flat_map(|(key, value)| [key, value]);
                self.tool(ctx, "map")?.call((self.list(ctx, flat)?,))?
            }
            Value::Set(items) => self.tool(ctx, "set")?.call((self.list(ctx, items.iter())?,))?,
            Value::Function(name) => self.tool(ctx, "lost")?.call((name.as_str(),))?,
            // Where it pointed is not known here; Node.js prints a cycle so.
            Value::Circular(_) => JsString::from_str(ctx.clone(), "[Circular]")?.into_value(),
            Value::Host(host) => HostView::make(self, ctx, host)?,
        })
    }

    /// A function of the prelude's tools.
    pub(super) fn tool<'js>(&self, ctx: &Ctx<'js>, name: &str) -> Result<Function<'js>> {
        self.realm().tools.clone().restore(ctx)?.get(name)
    }

    fn list<'js, 'v>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        items: impl Iterator<Item = &'v Value>,
    ) -> Result<rquickjs::Array<'js>> {
        let list = rquickjs::Array::new(ctx.clone())?;
        for (at, item) in items.enumerate() {
            list.set(at, self.import(ctx, item)?)?;
        }
        Ok(list)
    }

    fn array<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, items: &[Value]) -> Result<JsValue<'js>> {
        Ok(self.list(ctx, items.iter())?.into_value())
    }

    pub(super) fn buffer<'js>(&self, ctx: &Ctx<'js>, bytes: &[u8]) -> Result<JsValue<'js>> {
        let array = TypedArray::<u8>::new_copy(ctx.clone(), bytes)?.into_object();
        array.set_prototype(Some(&self.realm().buffer_proto.clone().restore(ctx)?))?;
        Ok(array.into_value())
    }

    pub(super) fn error<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, error: &ErrorValue) -> Result<JsValue<'js>> {
        let made: JsObject<'js> =
            self.tool(ctx, "error")?.call((error.name.as_str(), error.message.as_str(), error.stack.as_deref()))?;
        for (key, value) in error.props.iter() {
            made.prop(key.as_str(), data(self.import(ctx, value)?))?;
        }
        Ok(made.into_value())
    }

    /// An object that is a host view, if it is one.
    pub(super) fn host_of(object: &JsObject<'_>) -> Option<Value> {
        let class = Class::<HostView>::from_object(object)?;
        let host = class.borrow().host();
        Some(Value::Host(host))
    }
}
