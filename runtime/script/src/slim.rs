//! Slim views: objects whose properties live on a prototype that all messages with the same property names share, until
//! they are touched. Making one costs the same whatever it holds.
//!
//! Only for scripts that cannot tell the difference: see [`super::reflection`].

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use rquickjs::object::Filter;
use rquickjs::{Atom, Class, Ctx, Object as JsObject, Persistent, Result, Value as JsValue};

use flotilla_value::{Object, Str, Value};

use super::engine::Script;
use super::view::{Made, Source, View, identical};

/// Objects with more properties are rarely all alike.
const LONGEST: usize = 512;

impl Script {
    /// A slim view; `None` when its property names were not seen before, and when nothing may be kept.
    pub(super) fn slim_view<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        source: &Arc<Object>,
    ) -> Result<Option<JsValue<'js>>> {
        if source.len() > LONGEST || !self.may_keep() {
            return Ok(None);
        }
        let proto = self.slim_protos.borrow_mut().of(source.keys(), |names| self.slim_proto(ctx, names))?;
        let Some(proto) = proto else { return Ok(None) };
        let view = View { source: Source(source.clone()), made: Made::Slim, peek: Cell::new(false) };
        Ok(Some(Class::instance_proto(view, proto.restore(ctx)?)?.into_inner().into_value()))
    }

    fn slim_proto(self: &Rc<Self>, ctx: &Ctx<'_>, names: &[Str]) -> Result<Persistent<JsObject<'static>>> {
        let base = self.realm().view_proto.clone().restore(ctx)?;
        let proto = JsObject::new_proto(ctx.clone(), Some(&base))?;
        for name in names {
            proto.prop(name.as_str(), self.accessor(ctx, name)?)?;
        }
        Ok(Persistent::save(ctx, proto))
    }

    /// The value of a slim view: its source with what was assigned since.
    pub(super) fn unslim<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        object: &JsObject<'js>,
        source: &Arc<Object>,
        path: &mut Vec<JsValue<'js>>,
    ) -> Result<Value> {
        let mut changed: Option<Object> = None;
        for key in object.own_keys::<Atom<'js>>(Filter::default()) {
            let key = key?;
            let name = self.name_of(ctx, &key)?;
            let value = self.export_at(ctx, &object.get(key)?, path)?;
            if !source.get(&name).is_some_and(|was| identical(was, &value)) {
                changed.get_or_insert_with(|| (**source).clone()).insert(name, value);
            }
        }
        Ok(changed.map_or_else(|| Value::Object(source.clone()), Value::from))
    }
}
