//! The group's ticks as the engine's schedule.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flotilla_engine::{Claim, KEEP_START, Schedule, Tick};
use flotilla_group::member::Standing;
use flotilla_group::schedule::{Claimed, Ticks};
use futures::future::BoxFuture;
use parking_lot::Mutex;

use super::clock::GroupClock;

/// A start within this long of a sign of life of another is the same start of the group.
const SAME_START: Duration = KEEP_START.saturating_mul(3);
/// How often a store that is away is told again that a tick's work has ended.
const SAY_AGAIN: Duration = Duration::from_secs(1);

/// Claims ticks for this replica in the group's store, on the group's clocks.
pub struct GroupSchedule {
    ticks: Ticks,
    clock: GroupClock,
    replica: Arc<str>,
    /// Set once this replica has joined: who may judge whether others are dead.
    standing: Arc<OnceLock<Standing>>,
    /// Ticks with `retry` that this replica asks for or runs, by node and time.
    running: Running,
}

type Running = Arc<Mutex<HashSet<(String, i64)>>>;

/// A replica asks for a tick with `retry`. Until it is granted, dropping this lets go of it: a deploy may end the node
/// that asks. If it was granted all the same, [`Schedule::orphan`] finds it.
struct Asks {
    running: Running,
    tick: Option<(String, i64)>,
}

impl Asks {
    fn new(running: &Running, tick: &Tick) -> Asks {
        let tick = (tick.node.clone(), tick.scheduled_ms);
        running.lock().insert(tick.clone());
        Asks { running: running.clone(), tick: Some(tick) }
    }

    fn keep(mut self) {
        self.tick = None;
    }
}

impl Drop for Asks {
    fn drop(&mut self) {
        if let Some(tick) = self.tick.take() {
            self.running.lock().remove(&tick);
        }
    }
}

impl GroupSchedule {
    /// Reads the group's clock first: ticks that are computed on another are others.
    pub async fn start(ticks: Ticks, replica: &str, standing: Arc<OnceLock<Standing>>) -> GroupSchedule {
        let clock = GroupClock::start(&ticks).await;
        GroupSchedule { clock, ticks, replica: replica.into(), standing, running: Arc::default() }
    }
}

impl Schedule for GroupSchedule {
    fn claim(&self, tick: Tick) -> BoxFuture<'static, Claim> {
        let (ticks, replica) = (self.ticks.clone(), self.replica.clone());
        let now_ms = if tick.steady { self.clock.steady_ms() } else { self.clock.now_ms() };
        let asks = tick.retry.then(|| Asks::new(&self.running, &tick));
        Box::pin(async move {
            let claimed = Claimed {
                node: &tick.node,
                scheduled_ms: tick.scheduled_ms,
                before_ms: tick.before_ms,
                now_ms,
                replica: tick.retry.then_some(&*replica),
            };
            let answer = ticks.claim(&claimed).await;
            if let (Some(asks), Ok(true)) = (asks, &answer) {
                asks.keep();
            }
            match answer {
                Ok(true) => {
                    tracing::debug!(node = tick.node, scheduled_ms = tick.scheduled_ms, "fires a tick");
                    Claim::Granted
                }
                Ok(false) => Claim::Taken,
                Err(error) => {
                    // Not firing is the lesser evil: another replica may reach the store and fire it.
                    tracing::warn!(node = tick.node, %error, "cannot claim a timer tick; this replica skips it");
                    Claim::Unknown
                }
            }
        })
    }

    fn ended(&self, tick: Tick, given_up: bool) -> BoxFuture<'static, ()> {
        let (ticks, replica, running) = (self.ticks.clone(), self.replica.clone(), self.running.clone());
        Box::pin(async move {
            while let Err(error) = ticks.end(&tick.node, tick.scheduled_ms, &replica, given_up).await {
                tracing::warn!(
                    node = tick.node, %error,
                    "cannot say that the work of a timer tick has ended: if this replica ends now, another runs it again"
                );
                tokio::time::sleep(SAY_AGAIN).await;
            }
            running.lock().remove(&(tick.node, tick.scheduled_ms));
        })
    }

    fn orphan(&self, node: &str) -> BoxFuture<'static, Option<i64>> {
        if !self.standing.get().is_some_and(Standing::may_judge) {
            return Box::pin(std::future::ready(None));
        }
        let (ticks, node, replica) = (self.ticks.clone(), node.to_owned(), self.replica.clone());
        let running = self.running.clone();
        Box::pin(async move {
            let runs = |scheduled_ms| running.lock().contains(&(node.clone(), scheduled_ms));
            // With the store away the next look finds it.
            let taken = ticks.take_over(&node, &replica, runs).await.ok().flatten();
            if let Some(scheduled_ms) = taken {
                running.lock().insert((node.clone(), scheduled_ms));
                tracing::info!(node, scheduled_ms, "runs a tick again whose replica died");
            }
            taken
        })
    }

    fn claim_start(&self, node: &str) -> BoxFuture<'static, bool> {
        let (ticks, node) = (self.ticks.clone(), node.to_owned());
        Box::pin(async move {
            match ticks.claim_start(&node, SAME_START).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::warn!(node, %error, "cannot claim the start of the group; this replica skips it");
                    false
                }
            }
        })
    }

    fn keep_start(&self, node: &str) -> BoxFuture<'static, ()> {
        let (ticks, node) = (self.ticks.clone(), node.to_owned());
        Box::pin(async move {
            if let Err(error) = ticks.keep_start(&node, SAME_START).await {
                tracing::debug!(node, %error, "cannot say that the group still runs this");
            }
        })
    }

    fn last_fired(&self, node: &str) -> BoxFuture<'static, Option<i64>> {
        let (ticks, node) = (self.ticks.clone(), node.to_owned());
        Box::pin(async move { ticks.last(&node).await.ok().flatten() })
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn steady_ms(&self) -> i64 {
        self.clock.steady_ms()
    }

    fn put_forward(&self, to_ms: i64) -> BoxFuture<'static, ()> {
        let clock = self.clock.clone();
        Box::pin(async move { clock.put_forward(to_ms).await })
    }
}
