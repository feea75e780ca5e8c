//! The group's ticks as the engine's schedule.

use flotilla_engine::{Claim, KEEP_START, Schedule, Tick};
use flotilla_group::schedule::Ticks;
use futures::future::BoxFuture;

use super::clock::GroupClock;

/// A start within this long of a sign of life of another is the same start of the group.
const SAME_START: std::time::Duration = KEEP_START.saturating_mul(3);

/// Claims ticks for this replica in the group's store, on the store's clock.
pub struct GroupSchedule {
    ticks: Ticks,
    clock: GroupClock,
}

impl GroupSchedule {
    /// Reads the group's clock first: ticks that are computed on another are others.
    pub async fn start(ticks: Ticks) -> GroupSchedule {
        GroupSchedule { clock: GroupClock::start(&ticks).await, ticks }
    }
}

impl Schedule for GroupSchedule {
    fn claim(&self, tick: Tick) -> BoxFuture<'static, Claim> {
        let ticks = self.ticks.clone();
        Box::pin(async move {
            match ticks.claim(&tick.node, tick.scheduled_ms).await {
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
}
