//! The group's ticks as the engine's schedule.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flotilla_group::schedule::Ticks;
use flotilla_runtime::engine::{Schedule, Tick};
use futures::future::BoxFuture;

/// A start within this long of another is the same start of the group.
const SAME_START: Duration = Duration::from_secs(60);
/// How often the store's clock is compared with this machine's.
const COMPARE: Duration = Duration::from_secs(5);
/// A difference up to this may come from the way to the store and back.
const NOISE_MS: i64 = 100;

/// Claims ticks for this replica in the group's store, on the store's clock.
pub struct GroupSchedule {
    ticks: Ticks,
    /// What to add to this machine's clock.
    offset_ms: Arc<AtomicI64>,
}

impl GroupSchedule {
    /// Begins to compare the clocks; that ends with this schedule.
    pub fn start(ticks: Ticks) -> GroupSchedule {
        let offset_ms = Arc::new(AtomicI64::new(0));
        let (weak, store) = (Arc::downgrade(&offset_ms), ticks.clone());
        tokio::spawn(async move {
            let mut timer = tokio::time::interval(COMPARE);
            timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                timer.tick().await;
                let before = local_ms();
                let answer = store.now_ms().await;
                let Some(offset) = weak.upgrade() else { return };
                // While the store is away the last comparison holds.
                if let Ok(now) = answer {
                    let ahead = now - i64::midpoint(before, local_ms());
                    offset.store(if ahead.abs() <= NOISE_MS { 0 } else { ahead }, Ordering::Relaxed);
                }
            }
        });
        GroupSchedule { ticks, offset_ms }
    }
}

fn local_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

impl Schedule for GroupSchedule {
    fn claim(&self, tick: Tick) -> BoxFuture<'static, bool> {
        let ticks = self.ticks.clone();
        Box::pin(async move {
            match ticks.claim(&tick.node, tick.scheduled_ms).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    // Not firing is the lesser evil: another replica may reach the store and fire it.
                    tracing::warn!(node = tick.node, %error, "cannot claim a timer tick; this replica skips it");
                    false
                }
            }
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

    fn last_fired(&self, node: &str) -> BoxFuture<'static, Option<i64>> {
        let (ticks, node) = (self.ticks.clone(), node.to_owned());
        Box::pin(async move { ticks.last(&node).await.ok().flatten() })
    }

    fn now_ms(&self) -> i64 {
        local_ms() + self.offset_ms.load(Ordering::Relaxed)
    }
}
