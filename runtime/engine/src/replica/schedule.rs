//! Who fires a timer's tick: one replica of the group.

use futures::future::BoxFuture;

/// One tick of a repeating or cron inject: its identity in the whole group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tick {
    /// The node's id.
    pub node: String,
    /// The scheduled time, in milliseconds on one of the group's clocks: the same in every replica.
    pub scheduled_ms: i64,
    /// That of the tick before it.
    pub before_ms: Option<i64>,
    /// Intervals go by the steady clock, cron expressions by the other.
    pub steady: bool,
    /// Another replica runs it again if this one dies before [`Schedule::ended`].
    pub retry: bool,
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

    /// The work of a tick with `retry` has ended; `given_up`: another replica is to run it.
    fn ended(&self, tick: Tick, given_up: bool) -> BoxFuture<'static, ()> {
        let _ = (tick, given_up);
        Box::pin(std::future::ready(()))
    }

    /// The scheduled time of a tick with `retry` whose replica died: this replica is to run it now.
    fn orphan(&self, node: &str) -> BoxFuture<'static, Option<i64>> {
        let _ = node;
        Box::pin(std::future::ready(None))
    }

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

    /// The group's steady clock in milliseconds: as [`Schedule::now_ms`], but setting that one back does not move it.
    fn steady_ms(&self) -> i64 {
        self.now_ms()
    }

    /// Puts the steady clock forward to this time: ticks up to it have fired already. The group's clock was set back while
    /// no replica ran.
    fn put_forward(&self, to_ms: i64) -> BoxFuture<'static, ()> {
        let _ = to_ms;
        Box::pin(std::future::ready(()))
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
