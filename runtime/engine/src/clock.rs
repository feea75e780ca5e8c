//! The clocks: that which nodes read, and that by which deliveries are timed.

use std::cell::Cell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy)]
enum Held {
    No,
    /// From the next reading on.
    Next,
    At(Instant),
}

thread_local! {
    static HELD: Cell<Held> = const { Cell::new(Held::No) };
}

/// While one of these lives, deliveries that begin and end on this thread do so at one moment, and the clock is read once for
/// all of them. For many small steps in a row: not to be held over anything that takes long, and one at a time.
pub struct OneMoment(());

impl OneMoment {
    /// Begins; nothing is read yet.
    pub fn begin() -> OneMoment {
        HELD.set(Held::Next);
        OneMoment(())
    }

    /// The next reading is a new one.
    #[allow(clippy::unused_self, reason = "only who holds the moment may move it on")]
    pub fn renew(&self) {
        HELD.set(Held::Next);
    }
}

impl Drop for OneMoment {
    fn drop(&mut self) {
        HELD.set(Held::No);
    }
}

/// Now; within a [`OneMoment`] as it was when this was first asked.
pub(crate) fn instant() -> Instant {
    match HELD.get() {
        Held::No => Instant::now(),
        Held::At(moment) => moment,
        Held::Next => {
            let now = Instant::now();
            HELD.set(Held::At(now));
            now
        }
    }
}

/// Milliseconds since the epoch, as `Date.now()`.
pub fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers what the clock says after it has moved on from `before`.
    fn instant_after(before: Instant) -> Instant {
        while Instant::now() <= before {
            std::hint::spin_loop();
        }
        instant()
    }

    #[test]
    fn the_clock_stands_still_for_one_moment_on_one_thread() {
        let moment = OneMoment::begin();
        let first = instant();
        assert_eq!(instant_after(first), first);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| instant_after(first));
            assert!(other.join().is_ok_and(|other| other > first));
        });
        moment.renew();
        let second = instant_after(first);
        assert!(second > first);
        assert_eq!(instant_after(second), second);
        drop(moment);
        assert!(instant_after(second) > second);
    }
}
