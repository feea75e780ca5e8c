//! The inject's timers: which ticks this replica fires.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_engine::message::Outcome;
use flotilla_engine::observe::Timers;
use flotilla_engine::{Claim, KEEP_START, NodeCx, Tick};
use flotilla_flows::TickMode;

use super::clock::Clock;

/// A tick that nobody fired within this time was missed: every replica was away, stood still, or had no store.
const MISSED_MS: i64 = 3_000;
/// How often a replica asks again for a tick that it is to make up for.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// A claim that took longer came late because of the store: what became due meanwhile does not follow in a burst.
const SLOW: Duration = Duration::from_secs(1);
/// The clock is looked at this often: it may be set while a replica waits.
const LOOK: Duration = Duration::from_secs(5);
/// How often it is looked whether the replica of a tick has died.
const ORPHANS: Duration = Duration::from_secs(2);

/// What is done at the end of what a tick starts.
pub(super) type OnEnd = Box<dyn FnOnce(Outcome) + Send>;
/// Starts a flow.
pub(super) type Fire = Rc<dyn Fn(OnEnd)>;

/// Which replicas of a group fire: the node's settings, and its `"ha"` field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    /// Ticks fire in every replica instead of once in the group.
    pub(super) each: bool,
    /// `once` fires once in the group instead of in every replica.
    pub(super) one: bool,
    /// A tick that no replica could fire is made up for.
    pub(super) missed: bool,
    /// A tick whose replica dies before its work has ended is run again by another.
    pub(super) retry: bool,
}

impl Spread {
    /// Reads the field `ha`, which has the group's setting `tick` as its mode already; only `retry` is read from the settings.
    pub(super) fn of(cx: &NodeCx) -> Spread {
        let (config, mode) = (cx.config(), cx.config().ha());
        let missed = config.get("ha").and_then(|ha| ha.get("missed")?.as_str()) == Some("latest");
        let retry = config.node_settings().tick == Some(TickMode::Retry);
        Spread { each: mode == "each", one: mode == "one", missed, retry }
    }
}

/// Fires `once`, after its delay. `start` tells apart the starts of this node: other settings are another start.
pub(super) async fn once(cx: &NodeCx, spread: Spread, start: &str, delay_ms: f64, fire: &Fire) {
    tokio::time::sleep(flotilla_value::wait_ms(delay_ms)).await;
    if !spread.one {
        return fire(Box::new(drop));
    }
    let schedule = cx.shared().schedule().clone();
    if schedule.claim_start(start).await {
        fire(Box::new(drop));
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
pub(super) async fn repeat(cx: &NodeCx, spread: Spread, clock: Clock, fire: &Fire) {
    let each = !cx.shared().schedule().is_group() || spread.each;
    timers(cx).begin(cx.id(), clock.rule(), each);
    if each {
        return alone(cx, &clock, fire).await;
    }
    let ticking = Ticking { cx, spread, clock, fire };
    if spread.retry {
        futures::join!(ticking.run(), ticking.take_over());
    } else {
        ticking.run().await;
    }
}

/// Where it is noted when timers fire.
fn timers(cx: &NodeCx) -> Arc<Timers> {
    cx.shared().extensions().get_or_init(Timers::default)
}

/// Waits until a time on a clock that may run apart from the timers here, and be set meanwhile.
async fn until(clock: &impl Fn() -> i64, ms: i64) {
    loop {
        let wait = ms - clock();
        if wait <= 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(wait.unsigned_abs()).min(LOOK)).await;
    }
}

async fn alone(cx: &NodeCx, clock: &Clock, fire: &Fire) {
    let began = Instant::now();
    let shared = cx.shared().clone();
    let interval = clock.is_interval();
    // Intervals do not go by the time of day: setting the clock changes nothing.
    let now = move || if interval { began.elapsed().as_millis() as i64 } else { shared.schedule().now_ms() };
    let mut last = now();
    let mut since = last;
    while let Some(mut next) = clock.after_own(now(), since, last) {
        timers(cx).due_in(cx.id(), next - now());
        loop {
            let at = now();
            // A clock that was set back makes another tick the next.
            match clock.after_own(at, since, last) {
                Some(due) if due < next => next = due,
                _ => {}
            }
            if at >= next {
                break;
            }
            tokio::time::sleep(Duration::from_millis((next - at).unsigned_abs()).min(LOOK)).await;
        }
        if next < last || now() - next > MISSED_MS {
            // The clock was set: what lies between did not fire.
            since = next;
        }
        last = next;
        timers(cx).fires(cx.id());
        fire(Box::new(drop));
    }
}

/// The ticks of a group. Every replica looks at every tick in turn, so none is lost while one of them can ask for it.
struct Ticking<'a> {
    cx: &'a NodeCx,
    spread: Spread,
    clock: Clock,
    fire: &'a Fire,
}

impl Ticking<'_> {
    fn now(&self) -> i64 {
        let schedule = self.cx.shared().schedule();
        if self.clock.is_interval() { schedule.steady_ms() } else { schedule.now_ms() }
    }

    fn tick(&self, scheduled_ms: i64) -> Tick {
        Tick {
            node: self.cx.id().to_string(),
            scheduled_ms,
            before_ms: self.clock.latest(scheduled_ms - 1),
            steady: self.clock.is_interval(),
            retry: self.spread.retry,
        }
    }

    async fn claim(&self, scheduled_ms: i64) -> Claim {
        self.cx.shared().schedule().claim(self.tick(scheduled_ms)).await
    }

    /// Fires a tick that was granted.
    fn granted(&self, scheduled_ms: i64) {
        timers(self.cx).fires(self.cx.id());
        if !self.spread.retry {
            return (self.fire)(Box::new(drop));
        }
        let (schedule, tick) = (self.cx.shared().schedule().clone(), self.tick(scheduled_ms));
        (self.fire)(Box::new(move |outcome| {
            let ended = schedule.ended(tick, outcome == Outcome::Abandoned);
            let task = flotilla_tasks::Task {
                name: "end of a tick",
                owner: "inject".into(),
                ends: "the store has answered",
                failure: "another replica runs the tick again once this one ends",
            };
            drop(task.spawn(ended));
        }));
    }

    async fn run(&self) {
        let mut last = self.now();
        let fired = self.last_fired().await;
        if let Some(fired) = fired.filter(|fired| self.clock.is_interval() && *fired > last + MISSED_MS) {
            self.cx.shared().schedule().put_forward(fired).await;
            last = self.now();
        }
        if let (Some(fired), Some(due)) = (fired, self.clock.latest(last))
            && fired < due
        {
            // One that is due just now may still be on its way in another replica.
            if self.spread.missed || last - due > MISSED_MS {
                last = self.missed(due).await;
            }
        }
        while let Some(next) = self.next_due(last).await {
            last = next;
            let now = self.now();
            if now - next > MISSED_MS {
                let latest = self.clock.latest(now).unwrap_or(next).max(next);
                last = self.missed(latest).await;
                continue;
            }
            let asked = Instant::now();
            let claim = self.claim(next).await;
            match claim {
                Claim::Granted => self.granted(next),
                Claim::Taken => {}
                Claim::Unknown if self.spread.missed => last = self.missed(next).await,
                Claim::Unknown => timers(self.cx).misses(self.cx.id(), "the store did not answer"),
            }
            let due = self.clock.latest(self.now()).unwrap_or(last);
            if asked.elapsed() >= SLOW && due > last && !(claim == Claim::Unknown && self.spread.missed) {
                timers(self.cx).misses(self.cx.id(), "the store took too long to answer");
                self.cx.report().warn(format!(
                    "the store took {:.1} s to answer: the ticks up to {} are skipped",
                    asked.elapsed().as_secs_f64(),
                    time(due)
                ));
                last = due;
            }
        }
    }

    /// Waits for the tick after `last`. When the clock is set back meanwhile, that may be another than it was at first.
    async fn next_due(&self, last: i64) -> Option<i64> {
        let next = self.clock.after(last)?;
        timers(self.cx).due_in(self.cx.id(), next - self.now());
        loop {
            let now = self.now();
            let wait = next - now;
            if wait <= 0 {
                return Some(next);
            }
            if now < last - MISSED_MS {
                // Those that have fired are not granted again.
                let due = self.clock.after(now)?;
                until(&|| self.now(), due).await;
                return Some(due);
            }
            tokio::time::sleep(Duration::from_millis(wait.unsigned_abs()).min(LOOK)).await;
        }
    }

    /// Runs ticks again whose replica has died.
    async fn take_over(&self) {
        loop {
            tokio::time::sleep(ORPHANS).await;
            if self.cx.shared().is_paused() {
                continue;
            }
            if let Some(scheduled_ms) = self.cx.shared().schedule().orphan(self.cx.id()).await {
                self.cx.report().log(format!("runs the tick of {} again: its replica died", time(scheduled_ms)));
                self.granted(scheduled_ms);
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
                timers(self.cx).misses(self.cx.id(), "no replica could fire them: none lived, or the store was away");
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
                    self.granted(due);
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
