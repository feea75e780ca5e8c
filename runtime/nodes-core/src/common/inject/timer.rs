//! The inject's timers: which ticks this replica fires.

use std::rc::Rc;
use std::time::Duration;

use flotilla_engine::{Claim, KEEP_START, NodeCx, Tick};

use super::clock::Clock;

/// A tick that nobody fired within this time was missed: every replica was away, stood still, or had no store.
const MISSED_MS: i64 = 3_000;
/// How often a replica asks again for a tick that it is to make up for.
const ASK_AGAIN: Duration = Duration::from_secs(1);

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

/// Fires `once`, after its delay. `start` tells apart the starts of this node: other settings are another start.
pub(super) async fn once(cx: &NodeCx, spread: Spread, start: &str, delay_ms: f64, fire: &Rc<dyn Fn()>) {
    tokio::time::sleep(flotilla_value::wait_ms(delay_ms)).await;
    if !spread.one {
        return fire();
    }
    let schedule = cx.shared().schedule().clone();
    if schedule.claim_start(start).await {
        fire();
    }
    // A replica that starts again while others run this is no new start of the group.
    let start = start.to_owned();
    cx.work().spawn(async move {
        loop {
            tokio::time::sleep(KEEP_START).await;
            schedule.keep_start(&start).await;
        }
    });
}

/// Fires ticks until the node is closed.
pub(super) async fn repeat(cx: &NodeCx, spread: Spread, clock: Clock, fire: &Rc<dyn Fn()>) {
    if cx.shared().schedule().is_group() && !spread.each {
        Ticking { cx, spread, clock, fire }.run().await;
    } else {
        alone(cx, &clock, fire).await;
    }
}

/// Waits until a time on the group's clock, which may run apart from the timers here.
async fn until(cx: &NodeCx, ms: i64) {
    loop {
        let wait = ms - cx.shared().schedule().now_ms();
        if wait <= 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
    }
}

async fn alone(cx: &NodeCx, clock: &Clock, fire: &Rc<dyn Fn()>) {
    let mut last = cx.shared().schedule().now_ms();
    while let Some(next) = clock.after_own(cx.shared().schedule().now_ms(), last) {
        until(cx, next).await;
        last = next;
        fire();
    }
}

/// The ticks of a group. Every replica looks at every tick in turn, so none is lost while one of them can ask for it.
struct Ticking<'a> {
    cx: &'a NodeCx,
    spread: Spread,
    clock: Clock,
    fire: &'a Rc<dyn Fn()>,
}

impl Ticking<'_> {
    fn now(&self) -> i64 {
        self.cx.shared().schedule().now_ms()
    }

    async fn claim(&self, scheduled_ms: i64) -> Claim {
        self.cx.shared().schedule().claim(Tick { node: self.cx.id().to_string(), scheduled_ms }).await
    }

    async fn run(&self) {
        let mut last = self.now();
        if let (Some(fired), Some(due)) = (self.last_fired().await, self.clock.latest(last))
            && fired < due
        {
            // One that is due just now may still be on its way in another replica.
            if self.spread.missed || last - due > MISSED_MS {
                last = self.missed(due).await;
            }
        }
        while let Some(next) = self.clock.after(last) {
            until(self.cx, next).await;
            last = next;
            let now = self.now();
            if now - next > MISSED_MS {
                let latest = self.clock.latest(now).unwrap_or(next).max(next);
                last = self.missed(latest).await;
                continue;
            }
            match self.claim(next).await {
                Claim::Granted => (self.fire)(),
                Claim::Taken => {}
                Claim::Unknown if self.spread.missed => last = self.missed(next).await,
                Claim::Unknown => {}
            }
        }
    }

    async fn last_fired(&self) -> Option<i64> {
        self.cx.shared().schedule().last_fired(self.cx.id()).await
    }

    /// Makes up for the latest of the ticks that nobody fired, if the node asks for it; else says that they are skipped.
    /// Returns the tick that was dealt with last.
    async fn missed(&self, mut due: i64) -> i64 {
        if !self.spread.missed {
            // Those that stood still themselves ask first: others may have fired.
            if self.last_fired().await.is_none_or(|fired| fired < due) {
                self.cx.report().warn(format!("no replica could fire the ticks up to {}: they are skipped", time(due)));
            }
            return due;
        }
        loop {
            match self.claim(due).await {
                Claim::Granted => {
                    self.cx
                        .report()
                        .log(format!("makes up for the tick of {}, which no replica could fire", time(due)));
                    (self.fire)();
                    return due;
                }
                Claim::Taken => return due,
                Claim::Unknown => tokio::time::sleep(ASK_AGAIN).await,
            }
            due = self.clock.latest(self.now()).unwrap_or(due).max(due);
        }
    }
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
}
