//! The group's clock: that of the store, read on this machine's monotonic clock in between.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flotilla_group::schedule::Ticks;
use flotilla_tasks::Task;
use parking_lot::Mutex;

/// How often the store's clock is read.
const COMPARE: Duration = Duration::from_secs(5);
/// A difference up to this may come from the way to the store and back.
const NOISE_MS: i64 = 100;
/// An answer that took longer says too little about the time.
const QUICK: Duration = Duration::from_millis(250);

/// A moment on both clocks.
#[derive(Clone, Copy)]
struct Anchor {
    group_ms: i64,
    at: Instant,
}

/// The group's clock. A wrong clock of this machine, or one that is set while the replica runs, changes nothing.
#[derive(Clone)]
pub(super) struct GroupClock(Arc<Mutex<Anchor>>);

impl GroupClock {
    /// Reads the store's clock, and again and again until the clock is dropped. With the store away it begins with this
    /// machine's.
    pub(super) async fn start(ticks: &Ticks) -> GroupClock {
        let local = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        let clock = GroupClock(Arc::new(Mutex::new(Anchor { group_ms: local, at: Instant::now() })));
        match read(ticks).await {
            Some((anchor, _)) => *clock.0.lock() = anchor,
            None => tracing::warn!("the store does not say what time it is; timers begin with this machine's clock"),
        }
        let (weak, store) = (Arc::downgrade(&clock.0), ticks.clone());
        let task = Task {
            name: "group clock",
            owner: "replica".into(),
            ends: "the clock is dropped",
            failure: "the clock goes on without being compared with the store's",
        };
        task.spawn(async move {
            loop {
                tokio::time::sleep(COMPARE).await;
                let answer = read(&store).await;
                let Some(clock) = weak.upgrade().map(GroupClock) else { return };
                // While the store is away the last reading holds.
                let Some((anchor, _)) = answer.filter(|(_, took)| *took <= QUICK) else { continue };
                let ahead = anchor.now_ms() - clock.now_ms();
                if ahead.abs() > NOISE_MS {
                    *clock.0.lock() = anchor;
                }
            }
        });
        clock
    }

    /// Milliseconds since the epoch.
    pub(super) fn now_ms(&self) -> i64 {
        self.0.lock().now_ms()
    }
}

impl Anchor {
    fn now_ms(self) -> i64 {
        self.group_ms + self.at.elapsed().as_millis() as i64
    }
}

/// The store's clock, and how long it took to ask; the answer is taken to be from half-way.
async fn read(ticks: &Ticks) -> Option<(Anchor, Duration)> {
    let began = Instant::now();
    let group_ms = ticks.now_ms().await.ok()?;
    let took = began.elapsed();
    Some((Anchor { group_ms, at: began + took / 2 }, took))
}
