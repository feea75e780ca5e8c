//! From JavaScript's values to ours.

use std::rc::Rc;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use rquickjs::function::This;
use rquickjs::object::Filter;
use rquickjs::{Atom, Ctx, Exception, Function, Object as JsObject, Result, Type, Value as JsValue};

use flotilla_value::{ErrorValue, Object, RegExpValue, Str, TypedArray, Value};

use super::engine::Script;
use super::view::View;

/// Deeper structures than this are refused: they would not survive JSON or the native stack either.
const MAX_DEPTH: usize = 1000;
/// Bytes that a value takes outside of the realm, at least.
const EACH: usize = 32;

impl Script {
    /// A copy of the value that later changes by the script do not reach; untouched views share.
    pub(super) fn export<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, value: &JsValue<'js>) -> Result<Value> {
        self.export_at(ctx, value, &mut Vec::new())
    }

    /// As [`Script::export`], inside of the objects in `path`.
    pub(super) fn export_at<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        value: &JsValue<'js>,
        path: &mut Vec<JsValue<'js>>,
    ) -> Result<Value> {
        // What a value takes outside, roughly; buffers and texts more, by what they hold.
        self.count(ctx, EACH)?;
        match value.type_of() {
            Type::Undefined | Type::Uninitialized => return Ok(Value::Undefined),
            Type::Null => return Ok(Value::Null),
            Type::Bool => return Ok(Value::Bool(value.as_bool().unwrap_or_default())),
            Type::Int => return Ok(Value::Number(f64::from(value.as_int().unwrap_or_default()))),
            Type::Float => return Ok(Value::Number(value.as_float().unwrap_or_default())),
            Type::String => {
                let text = text(value)?;
                self.count(ctx, text.len())?;
                return Ok(Value::String(text));
            }
            Type::BigInt => {
                return Ok(Value::BigInt(self.tool(ctx, "text")?.call::<_, String>((value.clone(),))?.into()));
            }
            Type::Symbol => return Ok(Value::Undefined),
            Type::Function | Type::Constructor => {
                let name = value.as_object().map(|function| function.get::<_, JsValue<'js>>("name")).transpose()?;
                let name = name.filter(JsValue::is_string).map(|name| text(&name)).transpose()?;
                return Ok(Value::Function(name.unwrap_or_default()));
            }
            _ => {}
        }
        let Some(object) = value.as_object() else { return Ok(Value::Undefined) };
        if let Some(at) = path.iter().rposition(|above| above == value) {
            return Ok(Value::Circular((path.len() - at) as u32));
        }
        if path.len() >= MAX_DEPTH {
            return Err(Exception::throw_range(ctx, "The value is nested too deeply to leave the function"));
        }
        path.push(value.clone());
        let exported = self.export_object(ctx, object, path);
        path.pop();
        exported
    }

    fn export_object<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        object: &JsObject<'js>,
        path: &mut Vec<JsValue<'js>>,
    ) -> Result<Value> {
        if let Some(proxy) = object.as_value().as_proxy() {
            if let Some(value) = self.export_proxy(ctx, proxy, path)? {
                return Ok(value);
            }
        } else if let Some(array) = object.as_array() {
            let mut items = Vec::with_capacity(array.len());
            for at in 0..array.len() {
                items.push(self.export_at(ctx, &array.get::<JsValue<'js>>(at)?, path)?);
            }
            return Ok(Value::array(items));
        }
        if object.is_error() {
            return self.export_error(ctx, object, path);
        }
        let realm = self.realm();
        let Some(proto) = object.get_prototype() else { return self.export_plain(ctx, object, path) };
        let view_proto = realm.view_proto.clone().restore(ctx)?;
        if proto == view_proto {
            return self.unview(ctx, object, path);
        }
        if *proto.as_value() == realm.object_proto.clone().restore(ctx)? {
            return self.export_plain(ctx, object, path);
        }
        // A slim view: its shared prototype stands in between.
        if proto.get_prototype().is_some_and(|above| above == view_proto) && object.instance_of::<View>() {
            return self.unview(ctx, object, path);
        }
        if proto == realm.host_proto.clone().restore(ctx)?
            && let Some(host) = Script::host_of(object)
        {
            self.settle_host(ctx, object)?;
            return Ok(host);
        }
        let kind: String = realm.kind_of.clone().restore(ctx)?.call((object.clone(),))?;
        match kind.as_str() {
            "Buffer" => {
                let bytes = self.bytes(ctx, object)?;
                self.count(ctx, bytes.len())?;
                Ok(Value::Buffer(bytes))
            }
            "Date" => Ok(Value::Date(self.tool(ctx, "time")?.call((object.clone(),))?)),
            "RegExp" => Ok(Value::RegExp(Arc::new(RegExpValue {
                source: text(&object.get("source")?)?,
                flags: text(&object.get("flags")?)?,
            }))),
            "Map" => {
                let flat = self.flat(ctx, "entries", object, path)?;
                let mut pairs = Vec::with_capacity(flat.len() / 2);
                let mut flat = flat.into_iter();
                while let (Some(key), Some(value)) = (flat.next(), flat.next()) {
                    pairs.push((key, value));
                }
                Ok(Value::Map(Arc::new(pairs)))
            }
            "Set" => Ok(Value::Set(Arc::new(self.flat(ctx, "items", object, path)?))),
            "Object" | "" => self.export_plain(ctx, object, path),
            "Promise" => Ok(Value::object()),
            "Boxed" => {
                let inner: JsValue<'js> = self.tool(ctx, "unbox")?.call((object.clone(),))?;
                self.export_at(ctx, &inner, path)
            }
            kind => Ok(Value::Typed(Arc::new(TypedArray { kind: Str::new(kind), bytes: self.bytes(ctx, object)? }))),
        }
    }

    fn count(self: &Rc<Self>, ctx: &Ctx<'_>, bytes: usize) -> Result<()> {
        self.hand_out(bytes).map_err(|limit| {
            let text =
                format!("One run of the function sent or stored more than {limit} MB (setting functionMemoryLimit)");
            Exception::throw_range(ctx, &text)
        })
    }

    fn flat<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        tool: &str,
        object: &JsObject<'js>,
        path: &mut Vec<JsValue<'js>>,
    ) -> Result<Vec<Value>> {
        let list: rquickjs::Array<'js> = self.tool(ctx, tool)?.call((object.clone(),))?;
        (0..list.len()).map(|at| self.export_at(ctx, &list.get::<JsValue<'js>>(at)?, path)).collect()
    }

    fn export_plain<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        object: &JsObject<'js>,
        path: &mut Vec<JsValue<'js>>,
    ) -> Result<Value> {
        let mut made = Object::new();
        for key in object.own_keys::<Atom<'js>>(Filter::default()) {
            let key = key?;
            let name = self.name_of(ctx, &key)?;
            let value = object.get::<_, JsValue<'js>>(key)?;
            made.insert(name, self.export_at(ctx, &value, path)?);
        }
        Ok(Value::from(made))
    }

    fn export_error<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        object: &JsObject<'js>,
        path: &mut Vec<JsValue<'js>>,
    ) -> Result<Value> {
        let mut error = ErrorValue {
            name: property(object, "name")?,
            message: property(object, "message")?,
            ..ErrorValue::default()
        };
        let stack = property(object, "stack")?;
        error.stack = (!stack.is_empty()).then_some(stack);
        let cause = object.get::<_, JsValue<'js>>("cause")?;
        if !cause.is_undefined() {
            error.props.insert("cause", self.export_at(ctx, &cause, path)?);
        }
        for key in object.own_keys::<Atom<'js>>(Filter::default()) {
            let key = key?;
            let name = self.name_of(ctx, &key)?;
            if !matches!(name.as_str(), "name" | "message" | "stack" | "cause") {
                let value = object.get::<_, JsValue<'js>>(key)?;
                error.props.insert(name, self.export_at(ctx, &value, path)?);
            }
        }
        Ok(Value::Error(Arc::new(error)))
    }

    /// The bytes of a typed array or `ArrayBuffer`.
    ///
    /// Through Base64, which QuickJS writes natively: its memory cannot be read from safe Rust.
    pub(super) fn bytes<'js>(&self, ctx: &Ctx<'js>, object: &JsObject<'js>) -> Result<Bytes> {
        let encoded: rquickjs::String<'js> = self.tool(ctx, "base64")?.call((object.clone(),))?;
        let encoded = encoded.to_cstring()?;
        base64::engine::general_purpose::STANDARD
            .decode(encoded.as_str())
            .map(Bytes::from)
            .map_err(|error| Exception::throw_internal(ctx, &error.to_string()))
    }
}

fn property(object: &JsObject<'_>, name: &str) -> Result<Str> {
    let value: JsValue<'_> = object.get(name)?;
    if value.is_string() { text(&value) } else { Ok(Str::default()) }
}

/// The text of a JavaScript string; lone surrogates become U+FFFD.
pub(super) fn text(value: &JsValue<'_>) -> Result<Str> {
    let Some(string) = value.as_string() else { return Ok(Str::default()) };
    match string.to_string() {
        Ok(text) => Ok(Str::from(text)),
        Err(rquickjs::Error::Utf8(_)) => {
            let well_formed = Script::call_method_on_string(value)?;
            Ok(Str::from(well_formed))
        }
        Err(error) => Err(error),
    }
}

impl Script {
    fn call_method_on_string(value: &JsValue<'_>) -> Result<String> {
        let proto: JsObject<'_> = value.ctx().globals().get::<_, JsObject<'_>>("String")?.get("prototype")?;
        proto.get::<_, Function<'_>>("toWellFormed")?.call((This(value.clone()),))
    }
}
