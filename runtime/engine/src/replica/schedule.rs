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

/// Whose a tick is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This replica's: at most one replica of the group hears that of a tick.
    Granted,
    /// Another replica fired it, or a later one.
    Taken,
    /// The group could not be asked: nobody may fire it now.
    Unknown,
}

/// Decides which replica fires a tick.
pub trait Schedule: Send + Sync {
    /// Asks for a tick.
    fn claim(&self, tick: Tick) -> BoxFuture<'static, Claim>;

    /// True when this replica is to fire what runs once per start of the whole group. `node` tells apart what it is about.
    fn claim_start(&self, node: &str) -> BoxFuture<'static, bool> {
        let _ = node;
        Box::pin(std::future::ready(true))
    }

    /// Says that the group still runs what was asked for with [`Schedule::claim_start`]: due every [`KEEP_START`].
    ///
    /// [`KEEP_START`]: super::KEEP_START
    fn keep_start(&self, node: &str) -> BoxFuture<'static, ()> {
        let _ = node;
        Box::pin(std::future::ready(()))
    }

    /// The scheduled time of the last tick of this node that any replica fired, if known.
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
        crate::clock::now_ms() as i64
    }
}

/// How often a replica says that the group still runs what was started once.
pub const KEEP_START: std::time::Duration = std::time::Duration::from_secs(10);

/// A replica without a group: it fires every tick itself.
pub struct Alone;

impl Schedule for Alone {
    fn is_group(&self) -> bool {
        false
    }

    fn claim(&self, _tick: Tick) -> BoxFuture<'static, Claim> {
        Box::pin(std::future::ready(Claim::Granted))
    }
}
