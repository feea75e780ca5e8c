//! Objects that a script got from memory context and changed in place.
//!
//! In Node-RED the memory store hands out the stored object itself, so `flow.get("list").push(1)` changes the context
//! without a `set`, and flows rely on it. Here a script gets a copy-on-write view; what it changed by the end of the run
//! is written back. Only for stores in this process: a shared store is changed with `set`, `incr` and `cas` alone.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::{Ctx, Persistent, Value as JsValue};

use flotilla_engine::context::ContextRef;
use flotilla_value::{Str, Value};

use super::engine::Script;
use super::sandbox::first_key;
use super::view::identical;

/// What one run got from context so far.
#[derive(Default)]
pub(super) struct Borrowed(RefCell<Vec<Loan>>);

struct Loan {
    context: ContextRef,
    key: Str,
    store: Option<Str>,
    was: Value,
    made: Persistent<JsValue<'static>>,
}

impl Borrowed {
    pub(super) fn keep<'js>(
        &self,
        ctx: &Ctx<'js>,
        context: Option<&ContextRef>,
        key: &Str,
        store: Option<&Str>,
        was: &Value,
        made: &JsValue<'js>,
    ) {
        let Some(context) = context else { return };
        if context.store(store.map(Str::as_str)).is_remote() {
            return;
        }
        self.0.borrow_mut().push(Loan {
            context: context.clone(),
            key: key.clone(),
            store: store.cloned(),
            was: was.clone(),
            made: Persistent::save(ctx, made.clone()),
        });
    }

    /// The object that the run got for this key before, changed or not, if what is stored is still that: in Node-RED both are the
    /// same object.
    pub(super) fn again<'js>(
        &self,
        ctx: &Ctx<'js>,
        context: Option<&ContextRef>,
        key: &Str,
        store: Option<&Str>,
        now: &Value,
    ) -> Option<JsValue<'js>> {
        let loans = self.0.borrow();
        let scope = context?.scope();
        let loan = loans.iter().find(|loan| {
            loan.key == *key
                && loan.store.as_ref() == store
                && loan.context.scope() == scope
                && identical(&loan.was, now)
        })?;
        loan.made.clone().restore(ctx).ok()
    }

    /// The script set the key itself: what it got before is no longer what is stored.
    pub(super) fn forget(&self, _scope: &str, key: &str) {
        let mut loans = self.0.borrow_mut();
        if !loans.is_empty() {
            let first = first_key(key);
            loans.retain(|loan| first_key(&loan.key) != first);
        }
    }

    /// The end of a run: writes back what was changed in place.
    pub(super) fn settle(&self, script: &Rc<Script>, ctx: &Ctx<'_>) {
        for loan in std::mem::take(&mut *self.0.borrow_mut()) {
            let Ok(made) = loan.made.restore(ctx) else { continue };
            let Ok(now) = script.export(ctx, &made) else {
                ctx.catch();
                continue;
            };
            if identical(&loan.was, &now) || loan.was == now {
                continue;
            }
            // A store that went away meanwhile has already failed the script's own calls.
            let _ = loan.context.set(&loan.key, now, loan.store.as_deref());
        }
    }
}
