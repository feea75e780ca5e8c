//! The end of a function node: `close` listeners, On Stop, timers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{LocalBoxFuture, join_all};
use rquickjs::function::This;
use rquickjs::{Ctx, Exception, Function, Persistent, Result, Value as JsValue};
use tokio::sync::oneshot;

use flotilla_engine::message::Abandoning;
use flotilla_value::Value;

use super::export::text;
use super::failure::Part;
use super::function::FunctionScript;

impl FunctionScript {
    /// `node.on(event, listener)`; only `close` means something here.
    pub(super) fn listen<'js>(
        &self,
        ctx: &Ctx<'js>,
        event: &JsValue<'js>,
        listener: JsValue<'js>,
    ) -> Result<JsValue<'js>> {
        match text(event)?.as_str() {
            "input" => Err(Exception::throw_message(ctx, &self.host.text("function.error.inputListener", &[]))),
            "close" => {
                if let Some(listener) = listener.into_function() {
                    self.on_close.borrow_mut().push(Persistent::save(ctx, listener));
                }
                Ok(JsValue::new_undefined(ctx.clone()))
            }
            _ => Ok(JsValue::new_undefined(ctx.clone())),
        }
    }

    /// Closes the node: `close` listeners, On Stop, timers, status. `removed` is what listeners are told. The node is closed
    /// when this has ended, and at the latest when it is dropped: listeners that take `done` are waited for, as in
    /// Node-RED.
    pub fn close(self: &Rc<Self>, removed: bool) -> LocalBoxFuture<'static, ()> {
        let finish = Finish(self.clone());
        let limit = self.host.time_limit();
        // What a listener starts may go on until it says that it is done.
        self.timers.clear();
        self.link_calls.clear();
        let mut waiting = Vec::new();
        self.enter(limit, |ctx| {
            for listener in std::mem::take(&mut *self.on_close.borrow_mut()) {
                let called = listener.restore(ctx).and_then(|listener| stop(ctx, &listener, removed));
                match called {
                    Ok(done) => waiting.extend(done),
                    Err(error) => self.report(ctx, &error, limit),
                }
            }
            if let Some(cleanup) = self.part(ctx, Part::Cleanup) {
                self.script.restart_clock(limit);
                let called = cleanup.and_then(|(function, scope, node)| {
                    function.call::<_, JsValue<'_>>((This(scope), JsValue::new_undefined(ctx.clone()), node))
                });
                if let Err(error) = called {
                    self.report(ctx, &error, limit);
                }
            }
            self.end_of_run(ctx, None);
        });
        Box::pin(async move {
            // One whose `done` was forgotten by the script is as good as done.
            let _ = join_all(waiting).await;
            drop(finish);
        })
    }

    fn report(&self, ctx: &Ctx<'_>, error: &rquickjs::Error, limit: Option<Duration>) {
        let failure = self.failed(ctx, error, limit);
        self.host.error(failure.value, None);
    }

    fn release(self: &Rc<Self>) {
        self.enter(self.host.time_limit(), |ctx| {
            self.end_of_run(ctx, None);
            self.timers.clear();
            self.link_calls.clear();
            // The node's functions hold the node: letting go of them here ends the circle.
            self.program.borrow_mut().take();
            self.compiled.borrow_mut().take();
        });
        self.leave_realm();
        if self.has_status.get() {
            self.host.status(Value::object());
        }
    }
}

/// Ends what is left of a node that was closed.
struct Finish(Rc<FunctionScript>);

impl Drop for Finish {
    fn drop(&mut self) {
        // What its calls and timers still hold was not finished.
        let _unfinished = Abandoning::begin();
        self.0.release();
    }
}

/// Calls a listener. One that takes `done` is waited for; one with two parameters wants `removed` first, as in Node-RED.
fn stop<'js>(ctx: &Ctx<'js>, listener: &Function<'js>, removed: bool) -> Result<Option<oneshot::Receiver<()>>> {
    let parameters = listener.get::<_, usize>("length")?;
    if parameters == 0 {
        return listener.call::<_, JsValue<'_>>(()).map(|_| None);
    }
    let (sender, receiver) = oneshot::channel();
    let sender = RefCell::new(Some(sender));
    let done = Function::new(ctx.clone(), move || {
        if let Some(sender) = sender.take() {
            let _ = sender.send(());
        }
    })?;
    let called = match parameters {
        1 => listener.call::<_, JsValue<'_>>((done,)),
        _ => listener.call((removed, done)),
    };
    called.map(|_| Some(receiver))
}
