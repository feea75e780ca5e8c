//! Who fires a timer's tick: one replica of the group.

use futures::future::BoxFuture;

/// One tick of a repeating or cron inject: its identity in the whole group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tick {
    /// The node's id.
    pub node: String,
    /// The scheduled time, milliseconds since the epoch: the same in every replica, whatever its clock says now.
    pub scheduled_ms: i64,
}

/// Decides which replica fires a tick.
pub trait Schedule: Send + Sync {
    /// True when this replica is to fire the tick: at most one replica of the group hears true.
    fn claim(&self, tick: Tick) -> BoxFuture<'static, bool>;

    /// True when this replica is to fire what runs once per start of the whole group.
    fn claim_start(&self, node: &str) -> BoxFuture<'static, bool> {
        let _ = node;
        Box::pin(std::future::ready(true))
    }

    /// The scheduled time of the last tick of this node that any replica fired, if known: for `"missed": "latest"`.
    fn last_fired(&self, node: &str) -> BoxFuture<'static, Option<i64>> {
        let _ = node;
        Box::pin(std::future::ready(None))
    }

    /// True when other replicas may run the same flow: intervals are then counted from the epoch, so that all mean the
    /// same tick.
    fn is_group(&self) -> bool {
        true
    }

    /// The group's clock in milliseconds since the epoch. Ticks are computed on it so that replicas agree.
    fn now_ms(&self) -> i64 {
        crate::engine::shared::now_ms() as i64
    }
}

/// A replica without a group: it fires every tick itself.
pub struct Alone;

impl Schedule for Alone {
    fn is_group(&self) -> bool {
        false
    }

    fn claim(&self, _tick: Tick) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }
}
