//! The end of a function node: `close` listeners, On Stop, timers.

use std::rc::Rc;

use rquickjs::function::This;
use rquickjs::{Ctx, Exception, Function, Persistent, Result, Value as JsValue};

use crate::value::Value;

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

    /// Closes the node: On Stop, the `close` listeners, timers, status. `removed` is what listeners are told.
    pub(crate) fn close(self: &Rc<Self>, removed: bool) {
        let limit = self.host.time_limit();
        self.script.enter(limit, |ctx| {
            let report = |error: &rquickjs::Error| {
                let failure = self.failed(ctx, error, limit);
                self.host.error(failure.value, None);
            };
            for listener in std::mem::take(&mut *self.on_close.borrow_mut()) {
                let called = listener.restore(ctx).and_then(|listener| {
                    let done = Function::new(ctx.clone(), || {})?;
                    // A listener with two parameters wants `removed` first, as in Node-RED.
                    match listener.get::<_, usize>("length")? {
                        0 | 1 => listener.call::<_, JsValue<'_>>((done,)),
                        _ => listener.call((removed, done)),
                    }
                });
                if let Err(error) = called {
                    report(&error);
                }
            }
            if let Some(cleanup) = self.part(ctx, Part::Cleanup) {
                self.script.restart_clock(limit);
                let called = cleanup.and_then(|(function, scope, node)| {
                    function.call::<_, JsValue<'_>>((This(scope), JsValue::new_undefined(ctx.clone()), node))
                });
                if let Err(error) = called {
                    report(&error);
                }
            }
            self.end_of_run(ctx, None);
            self.timers.clear();
            // The node's functions hold the node: letting go of them here ends the circle.
            self.program.borrow_mut().take();
        });
        if self.has_status.get() {
            self.host.status(Value::object());
        }
    }
}
