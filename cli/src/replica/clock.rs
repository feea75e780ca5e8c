//! The group's clocks: that of the store, and one that setting it back does not move. Between two looks both go on with this
//! machine's clock since its start, which also counts while the machine is suspended.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flotilla_group::schedule::Ticks;
use flotilla_store::Moment;
use flotilla_tasks::Task;
use parking_lot::Mutex;

/// How often the store's clock is read.
const COMPARE: Duration = Duration::from_secs(5);
/// A difference up to this may come from the way to the store and back.
const NOISE_MS: i64 = 100;
/// A clock that is behind by more than this was set back.
const STEP_MS: i64 = 500;
/// An answer that took longer says too little about the time.
const QUICK: Duration = Duration::from_millis(250);
/// Attempts to put the steady clock forward, while others do the same.
const ATTEMPTS: usize = 10;

/// A moment on all clocks.
#[derive(Clone, Copy)]
struct Anchor {
    group_ms: i64,
    /// By how much the steady clock is ahead of the store's.
    ahead_ms: i64,
    at: Moment,
}

/// The group's clocks. A wrong clock of this machine, or one that is set while the replica runs, changes nothing.
#[derive(Clone)]
pub(super) struct GroupClock {
    anchor: Arc<Mutex<Anchor>>,
    ticks: Ticks,
}

impl GroupClock {
    /// Reads the store's clock, and again and again until the clock is dropped. With the store away it begins with this
    /// machine's.
    pub(super) async fn start(ticks: &Ticks) -> GroupClock {
        let local = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        let anchor = Anchor { group_ms: local, ahead_ms: 0, at: Moment::now() };
        let clock = GroupClock { anchor: Arc::new(Mutex::new(anchor)), ticks: ticks.clone() };
        match read(ticks).await {
            Some((anchor, _)) => *clock.anchor.lock() = anchor,
            None => tracing::warn!("cannot read the store's clock; timers begin with this machine's clock"),
        }
        let (weak, ticks) = (Arc::downgrade(&clock.anchor), ticks.clone());
        let task = Task {
            name: "group clock",
            owner: "timers".into(),
            ends: "the replica ends",
            failure: "timers go on with this machine's clock",
        };
        drop(task.spawn(async move {
            loop {
                tokio::time::sleep(COMPARE).await;
                let answer = read(&ticks).await;
                let Some(anchor) = weak.upgrade() else { return };
                // While the store is away the last reading holds.
                let Some((now, _)) = answer.filter(|(_, took)| *took <= QUICK) else { continue };
                GroupClock { anchor, ticks: ticks.clone() }.compare(now).await;
            }
        }));
        clock
    }

    /// Milliseconds since the epoch.
    pub(super) fn now_ms(&self) -> i64 {
        let anchor = *self.anchor.lock();
        anchor.group_at(Moment::now())
    }

    /// Milliseconds that setting the store's clock back does not move.
    pub(super) fn steady_ms(&self) -> i64 {
        let anchor = *self.anchor.lock();
        anchor.group_at(Moment::now()) + anchor.ahead_ms
    }

    /// Takes over what the store says.
    async fn compare(&self, now: Anchor) {
        let known = *self.anchor.lock();
        let behind = known.group_at(now.at) + known.ahead_ms - (now.group_ms + now.ahead_ms);
        if behind > STEP_MS {
            match self.ticks.put_forward(now.ahead_ms, now.ahead_ms + behind).await {
                Ok(true) => tracing::warn!(
                    seconds = behind as f64 / 1000.0,
                    "the store's clock was set back: intervals continue, and what a cron expression has fired already does not \
                     fire again when its time comes again"
                ),
                // Another replica has, or the store is away: the next look finds out.
                Ok(false) | Err(_) => return,
            }
            *self.anchor.lock() = Anchor { ahead_ms: now.ahead_ms + behind, ..now };
            return;
        }
        let apart = now.group_ms - known.group_at(now.at);
        if apart.abs() > NOISE_MS || now.ahead_ms != known.ahead_ms {
            *self.anchor.lock() = now;
        }
    }

    /// Puts the steady clock forward to `to_ms`, for the whole group.
    pub(super) async fn put_forward(&self, to_ms: i64) {
        for _ in 0..ATTEMPTS {
            let Some((now, _)) = read(&self.ticks).await else { return };
            let behind = to_ms - (now.group_ms + now.ahead_ms);
            if behind <= 0 {
                *self.anchor.lock() = now;
                return;
            }
            if self.ticks.put_forward(now.ahead_ms, now.ahead_ms + behind).await.unwrap_or(false) {
                tracing::warn!(
                    seconds = behind as f64 / 1000.0,
                    "the store's clock was set back while no replica ran: intervals continue"
                );
            }
        }
    }
}

impl Anchor {
    fn group_at(self, at: Moment) -> i64 {
        let (since, before) = (at.duration_since(self.at), self.at.duration_since(at));
        self.group_ms + since.as_millis() as i64 - before.as_millis() as i64
    }
}

/// The store's clock, and how long it took to ask; the answer is taken to be from half-way.
async fn read(ticks: &Ticks) -> Option<(Anchor, Duration)> {
    let ahead_ms = ticks.ahead_ms().await.ok()?;
    let began = Moment::now();
    let group_ms = ticks.now_ms().await.ok()?;
    let took = began.elapsed();
    Some((Anchor { group_ms, ahead_ms, at: began + took / 2 }, took))
}
