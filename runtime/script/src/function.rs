//! A function node's code: compiled once, called per message.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use rquickjs::function::This;
use rquickjs::{Class, Ctx, Exception, Function, Object as JsObject, Persistent, Promise, Result, Value as JsValue};
use rustc_hash::FxHashSet;

use flotilla_engine::message::Msg;
use flotilla_value::{Str, Value};

use super::borrowed::Borrowed;
use super::engine::Script;
use super::failure::{self, Part};
use super::host::ScriptHost;
use super::invocation::{Invocation, NodeHandle};
use super::link_calls::LinkCalls;
use super::program::{Compiled, Program, Source};
use super::send::{self, Deferred, Origin};
use super::timers::Timers;

/// A function node's code on its worker.
pub struct FunctionScript {
    pub(super) host: Rc<dyn ScriptHost>,
    pub(super) script: Rc<Script>,
    pub(super) source: Source,
    /// The code; none once the node is closed.
    pub(super) compiled: RefCell<Option<Compiled>>,
    /// The code with its sandbox, from when it first runs.
    pub(super) program: RefCell<Option<Program>>,
    pub(super) timers: Timers,
    pub(super) link_calls: LinkCalls,
    pub(super) borrowed: Borrowed,
    /// Keys of context whose lost updates were told.
    pub(super) lost_updates: RefCell<FxHashSet<Str>>,
    pub(super) deferred: RefCell<Vec<Deferred>>,
    /// The script showed a status: it is cleared when the node closes.
    pub(super) has_status: Cell<bool>,
    pub(super) on_close: RefCell<Vec<Persistent<Function<'static>>>>,
}

/// How On Start ended, or that it has not yet.
#[derive(Clone, Debug, PartialEq)]
pub enum Setup {
    /// Messages may come.
    Ready,
    /// A promise is pending: the callback given to [`FunctionScript::start`] will be called.
    Waiting,
}

type Settled = Box<dyn FnOnce(std::result::Result<(), Value>)>;

impl FunctionScript {
    /// Compiles a function node's code.
    ///
    /// # Errors
    /// The error object to report: a syntax error with line and column, or a module that cannot be loaded.
    pub fn new(
        script: &Rc<Script>,
        host: Rc<dyn ScriptHost>,
        source: Source,
    ) -> std::result::Result<Rc<FunctionScript>, Value> {
        let script = script.realm_for(&source).map_err(|error| Value::from(error.to_string()))?;
        let node = Rc::new(FunctionScript {
            host,
            script,
            source,
            compiled: RefCell::default(),
            program: RefCell::default(),
            timers: Timers::default(),
            link_calls: LinkCalls::default(),
            borrowed: Borrowed::default(),
            lost_updates: RefCell::default(),
            deferred: RefCell::default(),
            has_status: Cell::new(false),
            on_close: RefCell::default(),
        });
        if let Err(error) = node.compile() {
            node.leave_realm();
            return Err(error);
        }
        Ok(node)
    }

    /// Runs something of this node in the realm, for at most `limit`.
    pub(super) fn enter<R>(&self, limit: Option<Duration>, work: impl FnOnce(&Ctx<'_>) -> R) -> R {
        let slim = self.compiled.borrow().as_ref().is_some_and(|compiled| !compiled.reflects);
        self.script.slim.set(slim);
        self.script.enter(limit, work)
    }

    /// True when the code may call `require`.
    pub(super) fn may_require(&self) -> bool {
        self.source.modules_allowed
    }

    /// Runs On Start. `settled` is called when it has finished, at once or later.
    pub fn start(self: &Rc<Self>, settled: impl FnOnce(std::result::Result<(), Value>) + 'static) -> Setup {
        let limit = self.host.time_limit();
        self.enter(limit, |ctx| {
            let Some(setup) = self.part(ctx, Part::Setup) else {
                settled(Ok(()));
                return Setup::Ready;
            };
            let called = setup.and_then(|(function, scope, node)| {
                function.call::<_, JsValue<'_>>((This(scope), JsValue::new_undefined(ctx.clone()), node))
            });
            let settled: Settled = Box::new(settled);
            let state = match called {
                Ok(value) if value.is_promise() => {
                    let own = self.clone();
                    let then = Self::then(ctx, &value, move |ctx, result| {
                        settled(result.map(|_| ()).map_err(|error| own.uncaught(ctx, &error).value));
                    });
                    match then {
                        Ok(()) => Setup::Waiting,
                        Err(_) => Setup::Ready,
                    }
                }
                Ok(_) => {
                    settled(Ok(()));
                    Setup::Ready
                }
                Err(error) => {
                    settled(Err(self.failed(ctx, &error, limit).value));
                    Setup::Ready
                }
            };
            self.end_of_run(ctx, None);
            state
        })
    }

    /// Calls the function with a message.
    pub fn receive(self: &Rc<Self>, msg: Msg) {
        let limit = self.host.time_limit();
        let invocation = Invocation::new(msg);
        self.enter(limit, |ctx| {
            *self.script.node.borrow_mut() = Rc::downgrade(self);
            *self.script.current.borrow_mut() = Some(invocation.clone());
            let outcome = self.call(ctx, &invocation, limit);
            self.end_of_run(ctx, Some(&invocation));
            if let Err((error, msg)) = outcome {
                self.finish(&invocation, Err((error, msg)));
            }
            *self.script.current.borrow_mut() = None;
        });
        self.recover();
    }

    fn call(
        self: &Rc<Self>,
        ctx: &Ctx<'_>,
        invocation: &Rc<Invocation>,
        limit: Option<Duration>,
    ) -> std::result::Result<(), (Value, Msg)> {
        let msg = match self.script.import(ctx, &invocation.msg.value()) {
            Ok(msg) => msg,
            Err(error) => return Err((self.failed(ctx, &error, limit).value, invocation.msg.clone())),
        };
        let called = self.invoke(ctx, invocation, msg.clone());
        match called {
            Ok(value) if value.is_promise() => {
                let (own, held) = (self.clone(), invocation.clone());
                let about = Persistent::save(ctx, msg);
                let then = Self::then(ctx, &value, move |ctx, result| {
                    let about = about.restore(ctx).ok();
                    let outcome = match result {
                        Ok(value) => own.answer(ctx, &held, &value, about.as_ref()),
                        Err(error) => Err(own.uncaught(ctx, &error).value),
                    };
                    own.settle(ctx, &held, about, outcome);
                });
                if let Err(error) = then {
                    return Err((self.failed(ctx, &error, limit).value, invocation.msg.clone()));
                }
                Ok(())
            }
            Ok(value) => {
                let outcome = self.answer(ctx, invocation, &value, Some(&msg));
                self.settle(ctx, invocation, Some(msg), outcome);
                Ok(())
            }
            Err(error) => {
                let failure = self.failed(ctx, &error, limit);
                Err((failure.value.clone(), self.with_error(ctx, invocation, Some(msg), &failure.value)))
            }
        }
    }

    fn invoke<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        invocation: &Rc<Invocation>,
        msg: JsValue<'js>,
    ) -> Result<JsValue<'js>> {
        self.prepare(ctx)?;
        let program = self.program.borrow();
        let Some(program) = program.as_ref() else {
            return Err(Exception::throw_message(ctx, "The function node was closed"));
        };
        let function = program.run.clone().restore(ctx)?;
        let scope = program.scope.clone().restore(ctx)?;
        let node = if self.source.uses_node {
            let proto: JsObject<'js> = program.node.clone().restore(ctx)?;
            Class::instance_proto(NodeHandle::new(invocation, &msg, self.source.calls_done), proto)?
                .into_inner()
                .into_value()
        } else {
            JsValue::new_undefined(ctx.clone())
        };
        function.call((This(scope), msg, node))
    }

    /// Sends what the function returned. Answers the message to be done with where somebody hears of it: `msg` as the
    /// script left it, whatever was returned.
    fn answer<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        invocation: &Rc<Invocation>,
        value: &JsValue<'js>,
        msg: Option<&JsValue<'js>>,
    ) -> std::result::Result<Option<Msg>, Value> {
        let origin = Origin { id: invocation.msg.get("_msgid"), delivery: invocation.delivery() };
        let sent = send::flush(&self.script, self, ctx)
            .and_then(|()| send::now(&self.script, self, ctx, value, &origin))
            .map_err(|error| self.failed(ctx, &error, None).value)?;
        if self.source.calls_done || !self.host.hears_done() {
            return Ok(None);
        }
        match msg {
            Some(msg) if msg == value => Ok(sent),
            Some(msg) => Ok(Some(self.left(ctx, invocation, msg))),
            None => Ok(None),
        }
    }

    fn settle<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        invocation: &Rc<Invocation>,
        msg: Option<JsValue<'js>>,
        outcome: std::result::Result<Option<Msg>, Value>,
    ) {
        match outcome {
            Ok(sent) => {
                if !self.source.calls_done {
                    self.finish(invocation, Ok(sent));
                }
            }
            Err(error) => {
                let about = self.with_error(ctx, invocation, msg, &error);
                self.finish(invocation, Err((error, about)));
            }
        }
    }

    fn finish(&self, invocation: &Rc<Invocation>, outcome: std::result::Result<Option<Msg>, (Value, Msg)>) {
        match outcome {
            Ok(sent) => {
                if !invocation.done.replace(true) {
                    self.host.done(sent.as_ref().unwrap_or(&invocation.msg));
                }
            }
            Err((error, msg)) => {
                invocation.done.set(true);
                self.host.error(error, Some(&msg));
            }
        }
    }

    /// Calls back when a promise is settled.
    fn then<'js>(
        ctx: &Ctx<'js>,
        promise: &JsValue<'js>,
        settled: impl for<'a> FnOnce(&Ctx<'a>, std::result::Result<JsValue<'a>, JsValue<'a>>) + 'static,
    ) -> Result<()> {
        let promise: Promise<'js> = promise.get()?;
        let once = Rc::new(Cell::new(Some(settled)));
        let other = once.clone();
        let fulfilled = Function::new(ctx.clone(), move |ctx: Ctx<'js>, value: JsValue<'js>| {
            if let Some(settled) = once.take() {
                settled(&ctx, Ok(value));
            }
        })?;
        let rejected = Function::new(ctx.clone(), move |ctx: Ctx<'js>, error: JsValue<'js>| {
            if let Some(settled) = other.take() {
                settled(&ctx, Err(error));
            }
        })?;
        promise.then()?.call::<_, ()>((This(promise.clone()), fulfilled, rejected))
    }

    /// What a failed call has to say, taken from the realm.
    pub(super) fn failed(&self, ctx: &Ctx<'_>, error: &rquickjs::Error, limit: Option<Duration>) -> failure::Failure {
        let failure = failure::caught(&self.script, ctx, error, limit, Some(&self.source.lines()));
        if failure.out_of_memory {
            self.timers.needs_reload.set(true);
        }
        failure
    }

    /// The error object of something that a script threw.
    pub(super) fn uncaught<'js>(&self, ctx: &Ctx<'js>, thrown: &JsValue<'js>) -> failure::Failure {
        failure::of_thrown(&self.script, ctx, thrown, Some(&self.source.lines()))
    }

    /// Runs pending promise jobs, then reports what nobody handled and writes back what was borrowed.
    pub(super) fn end_of_run(self: &Rc<Self>, ctx: &Ctx<'_>, invocation: Option<&Rc<Invocation>>) {
        let limit = self.host.time_limit();
        self.script.restart_clock(limit);
        while ctx.execute_pending_job() {}
        if self.script.is_expired() {
            let failure = failure::timed_out(limit);
            self.host.error(failure, invocation.map(|invocation| &invocation.msg));
            self.script.restart_clock(limit);
        }
        if let Err(error) = send::flush(&self.script, self, ctx) {
            let failure = self.failed(ctx, &error, limit);
            self.host.error(failure.value, invocation.map(|invocation| &invocation.msg));
        }
        self.borrowed.settle(&self.script, ctx);
        if let Err(error) = self.script.settle_hosts(ctx) {
            let failure = self.failed(ctx, &error, limit);
            self.host.error(failure.value, invocation.map(|invocation| &invocation.msg));
        }
        for (_, reason) in std::mem::take(&mut *self.script.thread.rejected.borrow_mut()) {
            if let Ok(reason) = reason.restore(ctx) {
                self.host.error(self.uncaught(ctx, &reason).value, invocation.map(|invocation| &invocation.msg));
            }
        }
    }
}
