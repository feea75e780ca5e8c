//! `setTimeout` and `setInterval` of function nodes.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use flotilla_engine::message::Msg;
use flotilla_engine::observe::Level;
use flotilla_tasks::Task;
use rquickjs::{Ctx, Function, Persistent, Value as JsValue};
use rustc_hash::FxHashMap;
use tokio::task::AbortHandle;

use super::engine::Script;
use super::function::FunctionScript;
use super::invocation::Invocation;

/// Longer delays than this fire at once in JavaScript (2^31-1 ms).
const LONGEST: f64 = 2_147_483_647.0;

/// The pending timers of one node.
#[derive(Default)]
pub(super) struct Timers {
    next: Cell<u32>,
    pending: RefCell<FxHashMap<u32, Pending>>,
    /// The node ran out of memory: its state may have to go.
    pub(super) needs_reload: Cell<bool>,
}

struct Pending {
    task: AbortHandle,
    invocation: Weak<Invocation>,
}

impl Timers {
    /// Stops a timer; unknown ids are ignored.
    pub(super) fn stop(&self, id: u32) {
        if let Some(timer) = self.pending.borrow_mut().remove(&id) {
            timer.task.abort();
        }
    }

    /// Stops all timers. What they would still have done for a delivery is not done: it is abandoned.
    pub(super) fn clear(&self) {
        for (_, timer) in self.pending.borrow_mut().drain() {
            timer.task.abort();
            if let Some(delivery) = timer.invocation.upgrade().and_then(|invocation| invocation.delivery()) {
                delivery.abandon();
            }
        }
    }
}

/// Starts a timer. A one-shot timer holds the call that started it until it has fired; an interval does not, because it
/// would hold it for ever.
pub(super) fn start<'js>(
    script: &Rc<Script>,
    node: &Rc<FunctionScript>,
    ctx: &Ctx<'js>,
    callback: Function<'js>,
    ms: f64,
    repeat: bool,
) -> u32 {
    let id = node.timers.next.get().wrapping_add(1);
    node.timers.next.set(id);
    let ms = if (1.0..=LONGEST).contains(&ms) { ms.trunc() } else { 1.0 };
    let period = Duration::from_millis(ms as u64);
    let callback = Persistent::save(ctx, callback);
    let invocation = script.current.borrow().clone();
    let owner = Rc::downgrade(node);
    let holds = invocation.as_ref().filter(|_| !repeat).map(Rc::downgrade).unwrap_or_default();
    let started_by = invocation.as_ref().map(Rc::downgrade);
    let invocation = invocation.filter(|_| !repeat);
    let task = async move {
        if repeat {
            let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(node) = owner.upgrade() else { return };
                node.run_timer(&callback, started_by.as_ref().and_then(Weak::upgrade), Some(id));
            }
        }
        tokio::time::sleep(period).await;
        let Some(node) = owner.upgrade() else { return };
        node.timers.pending.borrow_mut().remove(&id);
        node.run_timer(&callback, invocation, None);
    };
    let timer = Task {
        name: "script timer",
        owner: "function node".into(),
        ends: "it has fired, or its node stops it",
        failure: "the call that started it fails",
    };
    let task = timer.spawn_local(task).abort_handle();
    node.timers.pending.borrow_mut().insert(id, Pending { task, invocation: holds });
    id
}

impl FunctionScript {
    /// Runs a timer's callback as part of the call that started it. An `interval` whose function runs too long is stopped.
    pub(super) fn run_timer(
        self: &Rc<Self>,
        callback: &Persistent<Function<'static>>,
        invocation: Option<Rc<Invocation>>,
        interval: Option<u32>,
    ) {
        let limit = self.host.time_limit();
        self.enter(limit, |ctx| {
            self.script.current.borrow_mut().clone_from(&invocation);
            *self.script.node.borrow_mut() = Rc::downgrade(self);
            let called = callback.clone().restore(ctx).and_then(|callback| callback.call::<_, JsValue<'_>>(()));
            if let Err(error) = called {
                let expired = self.script.is_expired();
                let failure = self.failed(ctx, &error, limit);
                if let Some(id) = interval.filter(|_| expired) {
                    // Each further run would take the worker as long again.
                    self.timers.stop(id);
                    let text = "setInterval: the interval is stopped, as its function ran too long";
                    self.host.log(Level::Warn, text.into());
                }
                // Node-RED reports it with an empty message, so that catch nodes hear of it.
                let about = Msg::default().in_delivery(invocation.as_ref().and_then(|call| call.delivery()));
                self.host.error(failure.value, Some(&about));
            }
            self.end_of_run(ctx, invocation.as_ref());
            *self.script.current.borrow_mut() = None;
        });
        self.recover();
    }
}
