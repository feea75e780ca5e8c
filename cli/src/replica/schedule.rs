//! The group's ticks as the engine's schedule.

use flotilla_group::schedule::Ticks;
use flotilla_runtime::engine::{Schedule, Tick};

use futures::future::BoxFuture;

/// Claims ticks for this replica in the group's store.
pub struct GroupSchedule(pub Ticks);

impl Schedule for GroupSchedule {
    fn claim(&self, tick: Tick) -> BoxFuture<'static, bool> {
        let ticks = self.0.clone();
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

    fn last_fired(&self, node: &str) -> BoxFuture<'static, Option<i64>> {
        let (ticks, node) = (self.0.clone(), node.to_owned());
        Box::pin(async move { ticks.last(&node).await.ok().flatten() })
    }
}
