//! Which realm a function's code runs in.
//!
//! Most functions change no built-ins: they share the worker's realm, whose built-ins are frozen, so that nothing crosses from
//! one node to another or outlives a deploy. Code that does change them (see [`super::patches`]) has a realm of its own, which
//! goes with the node. npm modules are loaded once for all functions of a worker that use some, as Node.js does it, into a realm
//! whose built-ins are theirs to change.

use std::cell::OnceCell;
use std::rc::Rc;

use super::engine::{Script, ScriptStartError};
use super::function::FunctionScript;
use super::patches::patches;
use super::program::Source;

/// What a realm's built-ins are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtins {
    /// Nobody changes them.
    Frozen,
    /// Whoever runs in the realm may change them.
    Open,
}

thread_local! {
    static MODULES: OnceCell<&'static Script> = const { OnceCell::new() };
}

impl Script {
    /// The realm of this thread that this code runs in.
    pub(super) fn realm_for(&'static self, source: &Source) -> Result<&'static Script, ScriptStartError> {
        if source.uses_modules() {
            return self.realm_of_modules();
        }
        if patches(&source.parts()) { Script::make(&self.thread, Builtins::Open) } else { Ok(self) }
    }

    /// The realm of this thread that npm modules are loaded into.
    pub(super) fn realm_of_modules(&'static self) -> Result<&'static Script, ScriptStartError> {
        MODULES.with(|cell| {
            if let Some(script) = cell.get() {
                return Ok(*script);
            }
            let script = Script::make(&self.thread, Builtins::Open)?;
            Ok(*cell.get_or_init(|| script))
        })
    }

    /// Lets go of a realm that one node had for itself. What still runs in its name (a promise that settles late) keeps its own
    /// built-ins, is entered through the shared realm, and finds its node closed.
    fn retire(&'static self) {
        let Ok(shared) = Script::current() else { return };
        let modules = MODULES.with(|cell| cell.get().copied());
        if std::ptr::eq(self, shared) || modules.is_some_and(|modules| std::ptr::eq(self, modules)) {
            return;
        }
        self.accessors.borrow_mut().clear();
        self.host_accessors.borrow_mut().clear();
        self.host_methods.borrow_mut().clear();
        self.fillers.take();
        self.slim_protos.take();
        self.names.borrow_mut().clear();
        self.hosts.borrow_mut().clear();
        *self.realm.borrow_mut() = Some(shared.realm());
        let context = shared.context.borrow().clone();
        *self.context.borrow_mut() = context;
    }
}

impl FunctionScript {
    /// The node is closed: a realm that it had for itself goes.
    pub(super) fn leave_realm(self: &Rc<Self>) {
        self.script.retire();
    }
}
