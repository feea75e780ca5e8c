//! `node.linkcall(target, msg, options)` of Node-RED 5: a function calls a flow that begins with a link in node, and waits for what
//! a link out node in return mode gives back.
//!
//! Source: Node-RED's function node, from 5.0 on.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::{Ctx, Exception, Function, Persistent, Result, Value as JsValue};
use rustc_hash::FxHashMap;
use tokio::task::AbortHandle;

use flotilla_engine::message::{Msg, generate_id};
use flotilla_tasks::Task;
use flotilla_value::{ErrorValue, Str, Value, wait_ms};

use super::engine::Script;
use super::export::text;
use super::function::FunctionScript;
use super::invocation::Invocation;

/// The calls of one node that have not come back, by their id.
#[derive(Default)]
pub(super) struct LinkCalls(RefCell<FxHashMap<Str, Pending>>);

struct Pending {
    resolve: Persistent<Function<'static>>,
    reject: Persistent<Function<'static>>,
    /// The call waits for the answer: its delivery stays open.
    invocation: Option<Rc<Invocation>>,
    timer: AbortHandle,
}

impl LinkCalls {
    /// Forgets all calls. What they would still have done for a delivery is not done: it is abandoned.
    pub(super) fn clear(&self) {
        for (_, call) in self.0.borrow_mut().drain() {
            call.timer.abort();
            if let Some(delivery) = call.invocation.and_then(|invocation| invocation.delivery()) {
                delivery.abandon();
            }
        }
    }
}

/// Sends the message, and keeps what settles the promise. `asked` is the target, the message and the milliseconds that the
/// answer may take.
///
/// # Errors
/// Throws Node-RED's errors when the target or the message is none, and when nobody can be called.
pub(super) fn begin<'js>(
    script: &Rc<Script>,
    node: &Rc<FunctionScript>,
    ctx: &Ctx<'js>,
    invocation: Option<Rc<Invocation>>,
    asked: [JsValue<'js>; 3],
    [resolve, reject]: [JsValue<'js>; 2],
) -> Result<()> {
    let [target, msg, ms] = asked;
    let refuse = |key: &str| Exception::throw_message(ctx, &node.host.text(key, &[]));
    let target = if target.is_string() { text(&target)? } else { Str::default() };
    if target.trim().is_empty() {
        return Err(refuse("function.error.linkcallTargetInvalid"));
    }
    let msg = if msg.is_object() && !msg.is_function() { script.export(ctx, &msg)? } else { Value::Undefined };
    if msg.as_object().is_none() {
        return Err(refuse("function.error.linkcallMsgInvalid"));
    }
    let (Some(resolve), Some(reject)) = (resolve.into_function(), reject.into_function()) else { return Ok(()) };
    let mut msg = Msg::from_value(msg, invocation.as_ref().and_then(|call| call.delivery()));
    if !msg.get("_msgid").truthy() {
        msg.set("_msgid", generate_id());
    }
    let id = generate_id();
    node.host.link_call(&target, msg, &id).map_err(|text| Exception::throw_message(ctx, &text))?;
    let (owner, late, wait) = (Rc::downgrade(node), id.clone(), wait_ms(ms.as_number().unwrap_or_default()));
    let timer = Task {
        name: "link call",
        owner: "function node".into(),
        ends: "the answer is late, or came, or its node stops",
        failure: "the call that waits for the answer fails",
    };
    let timer = timer.spawn_local(async move {
        tokio::time::sleep(wait).await;
        if let Some(node) = owner.upgrade() {
            node.settle_link_call(&late, None);
        }
    });
    let [resolve, reject] = [resolve, reject].map(|settle| Persistent::save(ctx, settle));
    let pending = Pending { resolve, reject, invocation, timer: timer.abort_handle() };
    node.link_calls.0.borrow_mut().insert(id, pending);
    Ok(())
}

impl FunctionScript {
    /// Takes what a link out node returned for one of this node's calls. One that nobody waits for any more is dropped, as in
    /// Node-RED.
    pub fn take_return(self: &Rc<Self>, call: &str, msg: Msg) {
        self.settle_link_call(call, Some(msg));
    }

    /// Goes on with the function that waits: with the answer, or with the error that there is none in time.
    fn settle_link_call(self: &Rc<Self>, call: &str, answer: Option<Msg>) {
        let Some(pending) = self.link_calls.0.borrow_mut().remove(call) else { return };
        if answer.is_some() {
            pending.timer.abort();
        }
        let limit = self.host.time_limit();
        self.enter(limit, |ctx| {
            self.script.current.borrow_mut().clone_from(&pending.invocation);
            *self.script.node.borrow_mut() = Rc::downgrade(self);
            let settled = match &answer {
                Some(msg) => self.script.import(ctx, &msg.value()).map(|value| (pending.resolve.clone(), value)),
                None => {
                    self.script.error(ctx, &ErrorValue::new("timeout")).map(|error| (pending.reject.clone(), error))
                }
            };
            let settled = settled.and_then(|(settle, with)| settle.restore(ctx)?.call::<_, JsValue<'_>>((with,)));
            if let Err(error) = settled {
                let failure = self.failed(ctx, &error, limit);
                self.host.error(failure.value, pending.invocation.as_ref().map(|call| &call.msg));
            }
            self.end_of_run(ctx, pending.invocation.as_ref());
            *self.script.current.borrow_mut() = None;
            drop(pending);
        });
        self.recover();
    }
}
