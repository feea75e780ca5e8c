//! When packets come fast and a few at a time, reading waits a little, so that one read, one run of the nodes and one
//! write serve many of them: what a network card does with its interrupts. Measured in `bench/`: half of the processor
//! time of a message was system calls before.

use std::time::{Duration, Instant};

/// How long reading waits. Tokio's timer makes it 1 to 2 ms.
const WAIT: Duration = Duration::from_millis(1);
/// A read with this many packets is large enough: the next is made at once.
const LARGE: u32 = 16;
/// The rate is taken over this long.
const SPAN: Duration = Duration::from_millis(10);
/// Packets in a span from which on waiting pays: 3,000 a second.
const BUSY: u32 = 30;

/// Decides when a connection reads next.
#[derive(Debug)]
pub(super) struct Pace {
    span_began: Instant,
    in_span: u32,
    busy: bool,
    since_read: u32,
    not_before: Option<Instant>,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace { span_began: now, in_span: 0, busy: false, since_read: 0, not_before: None }
    }

    /// A packet was decoded.
    pub(super) fn packet(&mut self) {
        self.since_read += 1;
    }

    /// What was read has been decoded. `deep`: enough is under way that waiting holds nobody up.
    pub(super) fn decoded(&mut self, now: Instant, deep: bool) {
        if self.since_read == 0 {
            return;
        }
        self.in_span += self.since_read;
        let span = now - self.span_began;
        if span >= SPAN {
            self.busy = f64::from(self.in_span) >= f64::from(BUSY) * span.div_duration_f64(SPAN);
            (self.span_began, self.in_span) = (now, 0);
        }
        self.not_before = (self.busy && deep && self.since_read < LARGE).then(|| now + WAIT);
        self.since_read = 0;
    }

    /// Until when reading waits, if it does.
    pub(super) fn waits(&mut self, now: Instant) -> Option<Instant> {
        self.not_before = self.not_before.filter(|until| now < *until);
        self.not_before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds reads of `packets` every `every` for 100 ms; says whether reading waits at the end.
    fn waits_at(packets: u32, every: Duration, deep: bool) -> bool {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        let mut now = began;
        while now < began + Duration::from_millis(100) {
            now += every;
            (0..packets).for_each(|_| pace.packet());
            pace.decoded(now, deep);
        }
        pace.waits(now).is_some()
    }

    #[test]
    fn waits_only_where_it_pays() {
        let tenth = Duration::from_micros(100);
        assert!(waits_at(2, tenth, true), "20,000 a second, two at a time");
        assert!(!waits_at(20, tenth, true), "batches are large already");
        assert!(!waits_at(2, tenth, false), "few are under way");
        assert!(!waits_at(1, Duration::from_millis(1), true), "1,000 a second: latency counts more");
    }

    #[test]
    fn the_wait_ends() {
        let now = Instant::now();
        let mut pace = Pace { span_began: now, in_span: 0, busy: true, since_read: 1, not_before: None };
        pace.decoded(now, true);
        assert!(pace.waits(now).is_some());
        assert!(pace.waits(now + WAIT).is_none());
    }
}
