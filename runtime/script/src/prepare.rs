//! When a function node's code is compiled, and when what it sees by name is made.

use std::rc::Rc;

use rquickjs::{Ctx, Function, Object as JsObject, Result, Value as JsValue};

use flotilla_value::Value;

use super::failure::{self, Part};
use super::function::FunctionScript;
use super::program::Compiled;

impl FunctionScript {
    /// Compiles the code, so that what is wrong with it is told when the node starts.
    ///
    /// # Errors
    /// The error object to report.
    pub(super) fn compile(self: &Rc<Self>) -> std::result::Result<(), Value> {
        let limit = self.host.time_limit();
        self.enter(limit, |ctx| {
            let make = || -> Result<()> {
                *self.compiled.borrow_mut() = Some(Compiled::new(&self.script, ctx, self, &self.source)?);
                // A module that cannot be loaded is told when the node starts; others share its realm.
                if self.source.uses_modules() { self.prepare(ctx) } else { Ok(()) }
            };
            make().map_err(|error| {
                let lines = self.source.lines();
                failure::of_compile(failure::caught(&self.script, ctx, &error, limit, Some(&lines)).value, &lines)
            })
        })
    }

    /// Makes the program, if that was not done before. A node that is closed gets none.
    pub(super) fn prepare(self: &Rc<Self>, ctx: &Ctx<'_>) -> Result<()> {
        if self.program.borrow().is_some() {
            return Ok(());
        }
        let compiled = self.compiled.borrow();
        let Some(compiled) = compiled.as_ref() else { return Ok(()) };
        // What is made here is no message, and outlives the run.
        let slim = self.script.slim.replace(false);
        let made = compiled.program(&self.script, ctx, self, &self.source);
        self.script.slim.set(slim);
        *self.program.borrow_mut() = Some(made?);
        Ok(())
    }

    /// On Start or On Stop, with what it is called with; nothing when the node has none or is closed.
    pub(super) fn part<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        part: Part,
    ) -> Option<Result<(Function<'js>, JsObject<'js>, JsValue<'js>)>> {
        if !self.source.has(part) {
            return None;
        }
        if let Err(error) = self.prepare(ctx) {
            return Some(Err(error));
        }
        let program = self.program.borrow();
        let program = program.as_ref()?;
        let (function, node) = match part {
            Part::Setup => (program.setup.clone()?, program.setup_node.clone()),
            Part::Body | Part::Cleanup => (program.cleanup.clone()?, program.cleanup_node.clone()),
        };
        let parts =
            || Ok((function.restore(ctx)?, program.scope.clone().restore(ctx)?, node.restore(ctx)?.into_value()));
        Some(parts())
    }

    /// After the worker's memory was used up: when collecting garbage does not free it, this node's own state goes.
    pub(super) fn recover(self: &Rc<Self>) {
        if !self.timers.needs_reload.take() {
            return;
        }
        self.enter(None, |ctx| {
            ctx.run_gc();
        });
        if self.script.memory_used() < self.script.memory_limit() / 2 {
            return;
        }
        self.enter(None, |ctx| {
            self.timers.clear();
            self.link_calls.clear();
            self.on_close.borrow_mut().clear();
            self.program.borrow_mut().take();
            self.compiled.borrow_mut().take();
            ctx.run_gc();
        });
        match self.compile() {
            Ok(()) => {
                let text = "The function's variables were reset: they held most of the memory that scripts may use";
                self.host.error(Value::from(text), None);
            }
            Err(error) => self.host.error(error, None),
        }
    }
}
