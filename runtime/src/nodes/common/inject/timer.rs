//! The inject's timers: which ticks this replica fires.

use std::rc::Rc;
use std::time::Duration;

use crate::engine::{NodeCx, Tick};

use super::clock::Clock;

/// Which replicas of a group fire: the node's `"ha"` field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    /// Ticks fire in every replica instead of once in the group.
    pub(super) each: bool,
    /// `once` fires once in the group instead of in every replica.
    pub(super) one: bool,
    /// A tick that no replica could fire is made up for.
    pub(super) missed: bool,
}

impl Spread {
    /// Reads `"ha"`: `"each"`, `"one"`, or an object with `"mode"` and `"missed": "latest"`.
    pub(super) fn of(cx: &NodeCx) -> Spread {
        let ha = cx.config().get("ha");
        let mode = ha.and_then(|ha| ha.as_str().or_else(|| ha.get("mode")?.as_str())).unwrap_or_default();
        let missed = ha.and_then(|ha| ha.get("missed")?.as_str()) == Some("latest");
        Spread { each: mode == "each", one: mode == "one", missed }
    }
}

/// Asks the group whether this replica fires the tick.
async fn claimed(cx: &NodeCx, spread: Spread, scheduled_ms: i64) -> bool {
    spread.each || cx.shared().schedule.claim(Tick { node: cx.id().to_string(), scheduled_ms }).await
}

/// Fires `once`, after its delay.
pub(super) async fn once(cx: &NodeCx, spread: Spread, delay_ms: f64, fire: &Rc<dyn Fn()>) {
    tokio::time::sleep(Duration::from_secs_f64(delay_ms.max(0.0) / 1000.0)).await;
    if !spread.one || cx.shared().schedule.claim_start(cx.id()).await {
        fire();
    }
}

/// Fires ticks until the node is closed.
pub(super) async fn repeat(cx: &NodeCx, spread: Spread, clock: Clock, fire: &Rc<dyn Fn()>) {
    let schedule = cx.shared().schedule.clone();
    let grouped = schedule.is_group() && !spread.each;
    let mut last = schedule.now_ms();
    if spread.missed
        && let (Some(fired), Some(due)) = (schedule.last_fired(cx.id()).await, clock.latest(last))
        && fired < due
        && claimed(cx, spread, due).await
    {
        fire();
    }
    while let Some(next) = clock.next(schedule.now_ms(), last, grouped) {
        // The clock of the group may run apart from the timers here: look again until the tick is due.
        loop {
            let wait = next - schedule.now_ms();
            if wait <= 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
        }
        last = next;
        if claimed(cx, spread, next).await {
            fire();
        }
    }
}
