//! Which ticks of a node have fired.

use serde::{Deserialize, Serialize};

/// How many ranges are remembered: there is one more each time the clock was set, or ticks were missed.
const RANGES: usize = 16;
/// How many ticks whose work has not ended are remembered. With more the oldest is not run again when its replica dies.
const OPEN: usize = 16;
/// A clock this much behind the last tick that fired was set back; less is how far clocks are apart.
const APART_MS: i64 = 1_000;

/// The ticks of a node that have fired, and those that still run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fired {
    /// First and last of ticks that all fired, in the order in which they fired.
    ranges: Vec<(i64, i64)>,
    /// The latest tick whose work has not ended: another replica runs it if its own dies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<Open>,
    /// Ticks before it whose work has not ended either: it takes longer than the time between two ticks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Open>,
}

/// A tick whose work has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    /// Its scheduled time.
    pub(super) tick: i64,
    /// The replica that runs it; empty when none does.
    pub(super) replica: String,
}

impl Fired {
    /// From the store: a record of 0.1.0 is the last tick alone.
    pub(super) fn read(value: &[u8]) -> Option<Fired> {
        if let Some(last) = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) {
            return Some(Fired { ranges: vec![(last, last)], ..Fired::default() });
        }
        serde_json::from_slice(value).ok()
    }

    /// The tick that fired last.
    pub(super) fn last(&self) -> Option<i64> {
        self.ranges.last().map(|(_, last)| *last)
    }

    /// The work of a tick begins.
    pub(super) fn begin(&mut self, tick: i64, replica: &str) {
        if let Some(before) = self.open.replace(Open { tick, replica: replica.to_owned() }) {
            self.earlier.push(before);
        }
        let surplus = self.earlier.len().saturating_sub(OPEN - 1);
        self.earlier.drain(..surplus);
    }

    /// Ticks whose work has not ended, the oldest first.
    pub(super) fn open(&self) -> impl Iterator<Item = &Open> {
        self.earlier.iter().chain(&self.open)
    }

    /// The work of a tick has ended. False when it was not that replica's.
    pub(super) fn end(&mut self, tick: i64, replica: &str) -> bool {
        let own = |open: &Open| open.tick == tick && open.replica == replica;
        let before = self.open().count();
        self.earlier.retain(|open| !own(open));
        if self.open.as_ref().is_some_and(own) {
            self.open = self.earlier.pop();
        }
        self.open().count() < before
    }

    /// Another replica runs the tick; no replica does when `to` is empty. False when it was not `from`'s.
    pub(super) fn pass(&mut self, tick: i64, from: &str, to: &str) -> bool {
        let own = |open: &&mut Open| open.tick == tick && open.replica == from;
        let found = self.earlier.iter_mut().chain(&mut self.open).find(own);
        found.map(|open| to.clone_into(&mut open.replica)).is_some()
    }

    /// Takes a tick in. `before` is the tick before it by the schedule, `now` the clock of who asks. False when it has fired,
    /// or a later one has and nobody set the clock back.
    pub(super) fn add(&mut self, tick: i64, before: Option<i64>, now: i64) -> bool {
        if self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&tick)) {
            return false;
        }
        match self.ranges.last_mut() {
            Some((_, last)) if tick < *last && now >= *last - APART_MS => return false,
            // The next one: nothing was left out between.
            Some((_, last)) if tick > *last && before.is_some_and(|before| before <= *last) => *last = tick,
            _ => self.ranges.push((tick, tick)),
        }
        let surplus = self.ranges.len().saturating_sub(RANGES);
        self.ranges.drain(..surplus);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fires the ticks of every 10 ms up to `now`, as one does that wakes for each; returns those that fired.
    fn run(fired: &mut Fired, from: i64, to: i64) -> Vec<i64> {
        let ticks = (from / 10 + 1..=to / 10).map(|n| n * 10);
        ticks.filter(|tick| fired.add(*tick, Some(tick - 10), *tick)).collect()
    }

    #[test]
    fn a_clock_that_was_ahead_and_is_put_right_silences_nothing_and_no_time_fires_twice() {
        let mut fired = Fired::read(b"1000").unwrap();
        assert_eq!(run(&mut fired, 1_000, 1_050), [1_010, 1_020, 1_030, 1_040, 1_050]);
        assert!(!fired.add(1_050, Some(1_040), 1_050) && !fired.add(1_040, Some(1_030), 1_055));
        // A day ahead, and back.
        let day = 86_400_000;
        assert_eq!(run(&mut fired, day, day + 30).len(), 3);
        assert!(!fired.add(day, Some(day - 10), day + 35), "a late one does not fire behind a later one");
        assert_eq!(run(&mut fired, 1_030, 1_080), [1_060, 1_070, 1_080], "those that fired do not fire again");
        assert_eq!(fired.last(), Some(1_080));
        assert_eq!(run(&mut fired, day, day + 40), [day + 40], "also when the time comes again");
    }

    #[test]
    fn what_was_missed_stays_missed_unless_the_clock_says_that_it_is_to_come() {
        let mut fired = Fired::default();
        run(&mut fired, 0, 30);
        assert!(fired.add(60_000, Some(59_990), 60_000), "after an outage");
        assert!(!fired.add(50_000, Some(49_990), 60_001), "it is late");
        assert!(fired.add(50_000, Some(49_990), 50_000), "it is due");
        let written = serde_json::to_vec(&fired).unwrap();
        assert_eq!(Fired::read(&written), Some(fired));
        assert_eq!(Fired::read(b"{"), None);
    }

    #[test]
    fn work_that_outlasts_the_next_ticks_is_remembered_up_to_a_bound() {
        let mut fired = Fired::read(br#"{"ranges":[[1,1]],"open":{"tick":1,"replica":"a"}}"#).unwrap();
        for tick in 2..=20 {
            fired.begin(tick, "a");
        }
        let ticks = |fired: &Fired| fired.open().map(|open| open.tick).collect::<Vec<_>>();
        assert_eq!(ticks(&fired), (5..=20).collect::<Vec<_>>());
        assert!(fired.end(20, "a") && fired.end(7, "a"));
        assert!(!fired.end(20, "a") && !fired.end(8, "b") && !fired.pass(8, "b", "c"));
        assert!(fired.pass(8, "a", "b") && fired.end(8, "b"));
        let read = Fired::read(&serde_json::to_vec(&fired).unwrap()).unwrap();
        assert_eq!(read, fired);
        assert_eq!(ticks(&fired), [vec![5, 6], (9..=19).collect()].concat());
    }
}
