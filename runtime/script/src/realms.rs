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
    static MODULES: OnceCell<&'static Rc<Script>> = const { OnceCell::new() };
}

impl Script {
    /// The realm of this thread that this code runs in.
    pub(super) fn realm_for(self: &Rc<Self>, source: &Source) -> Result<Rc<Script>, ScriptStartError> {
        if source.uses_modules() {
            return self.realm_of_modules();
        }
        if patches(&source.parts()) { Script::make(&self.thread, Builtins::Open) } else { Ok(self.clone()) }
    }

    /// The realm of this thread that npm modules are loaded into.
    pub(super) fn realm_of_modules(&self) -> Result<Rc<Script>, ScriptStartError> {
        MODULES.with(|cell| {
            if let Some(script) = cell.get() {
                return Ok(Rc::clone(script));
            }
            let script = Script::make(&self.thread, Builtins::Open)?;
            // Modules stay as long as the thread, as its own realm does.
            Ok(Rc::clone(cell.get_or_init(|| &*Box::leak(Box::new(script)))))
        })
    }

    /// Lets go of a realm that one node had for itself. What still runs in its name (a promise that settles late) keeps its own
    /// built-ins, is entered through the shared realm, and finds its node closed. The last of its functions that the collector
    /// finds takes this with it.
    pub(super) fn retire(self: &Rc<Self>) {
        let Ok(shared) = Script::current() else { return };
        let is_of_modules = MODULES.with(|cell| cell.get().is_some_and(|modules| Rc::ptr_eq(self, modules)));
        if Rc::ptr_eq(self, shared) || is_of_modules {
            return;
        }
        self.retired.set(true);
        self.let_go();
        drop(self.realm.replace(Some(shared.realm())));
        let context = shared.context.borrow().clone();
        drop(self.context.replace(context));
    }

    /// Functions that are kept here hold the realm, and this: without letting go of them neither would ever end.
    pub(super) fn let_go(&self) {
        self.accessors.take();
        self.host_accessors.take();
        self.host_methods.take();
        self.fillers.take();
        self.slim_protos.take();
        self.names.take();
        self.hosts.take();
    }
}

impl FunctionScript {
    /// The node is closed: a realm that it had for itself goes.
    pub(super) fn leave_realm(self: &Rc<Self>) {
        self.script.retire();
    }
}
