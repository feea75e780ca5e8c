//! Replicas that went away without leaving, by the signs of life of all. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flotilla_api::replica::{ReplicaRecord, ReplicaState};

/// A replica that crashed counts as replaced when as many as before have been ready for so long.
const REPLACED_MS: u64 = 2_000;
/// Who did not look for longer than this was blind: all others may have stood still, too.
const BLIND_MS: u64 = 3_000;
/// What is missing after a time without a look has so long to come back: leases run out that nobody could renew meanwhile.
const GRACE_MS: u64 = 5_000;
/// Or so many times as long as is usual between two signs of life, when that is longer: a lease may be long, too.
const GRACE_BEATS: u64 = 4;
/// A time without a look counts as so much of the time that is given to come back.
const COUNTED_MS: u64 = 1_000;
/// Times between signs of life that are remembered of a replica. The second longest is what is usual: the longest may be a pause of
/// all, and shorter ones may be changes of its registration, which count as signs of life.
const GAPS: usize = 5;
/// With fewer of its own, what is usual in the group counts: the median of all.
const ENOUGH: usize = 3;

/// A replica, and its signs of life.
#[derive(Clone, Debug)]
struct Life {
    started_ms: u64,
    state: ReplicaState,
    beat: u64,
    /// When it was seen first.
    first_ms: u64,
    /// When the last sign of life was seen.
    since_ms: u64,
    /// Looks since then that saw no other.
    silent_looks: u32,
    /// The last times between two signs.
    gaps: VecDeque<u64>,
}

/// One that was gone after a time without a look.
#[derive(Clone, Debug)]
struct Missing {
    started_ms: u64,
    /// Since when it has been missing; later by the times without a look since then.
    since_ms: u64,
    /// How long it has to come back.
    grace_ms: u64,
    ready_before: usize,
}

/// What is remembered of the replicas of a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Crashes {
    /// The replicas at the last look.
    last: BTreeMap<String, Life>,
    looked_ms: Option<u64>,
    /// Those that may come back.
    missing: BTreeMap<String, Missing>,
    /// Those that crashed, and how many were ready before.
    crashed: BTreeMap<String, usize>,
    /// Those that left since, as they were told to, and did not come back.
    left: BTreeSet<String>,
    /// Since when enough are ready again.
    enough_since: Option<u64>,
}

/// The one in the middle; of two the smaller.
fn median(gaps: impl Iterator<Item = u64>) -> Option<u64> {
    let mut gaps: Vec<u64> = gaps.collect();
    gaps.sort_unstable();
    gaps.get(gaps.len().saturating_sub(1) / 2).copied()
}

/// `None` of fewer than two.
fn second_longest(gaps: &VecDeque<u64>) -> Option<u64> {
    let mut gaps: Vec<u64> = gaps.iter().copied().collect();
    gaps.sort_unstable();
    gaps.pop();
    gaps.pop()
}

fn find<'a>(replicas: &'a [ReplicaRecord], id: &str, started_ms: u64) -> Option<&'a ReplicaRecord> {
    replicas.iter().find(|replica| replica.id == *id && replica.started_ms == started_ms)
}

impl Crashes {
    /// Those that crashed and are not replaced yet, and how many were ready before.
    pub(super) fn lasting(&self) -> impl Iterator<Item = (&String, usize)> {
        self.crashed.iter().map(|(id, ready_before)| (id, *ready_before))
    }

    /// Somebody else saw it.
    pub(super) fn resume(&mut self, id: String, ready_before: usize) {
        self.crashed.entry(id).or_insert(ready_before);
    }

    /// Looks. `wanted`: how many the group is to have, 0 when nobody says; `was_away`: the store did not answer before.
    pub(super) fn look(&mut self, replicas: &[ReplicaRecord], now: u64, wanted: usize, was_away: bool) {
        let before = self.looked_ms.replace(now);
        let gap = before.map_or(0, |before| now.saturating_sub(before));
        let was_blind = was_away || gap > BLIND_MS;
        for one in self.missing.values_mut().filter(|_| was_blind) {
            one.since_ms += gap.saturating_sub(COUNTED_MS);
        }
        self.judge(replicas, now, was_blind);
        self.give_up(now, wanted);
        self.end(replicas, now, wanted);
        // What was seen just now tells nothing new.
        self.remember(replicas, now, was_blind, before != Some(now));
    }

    /// A replica that leaves takes its record along right after a sign of life. The record of one that died stays without one
    /// until its lease runs out, which is three times as long as between two signs. After a time without a look neither can be
    /// told: what is gone is missing, and may come back.
    fn judge(&mut self, replicas: &[ReplicaRecord], now: u64, was_blind: bool) {
        self.left.retain(|id| !replicas.iter().any(|new| new.id == *id));
        self.missing.retain(|id, one| find(replicas, id, one.started_ms).is_none());
        for (id, old) in self.last.iter().filter(|(id, old)| find(replicas, id, old.started_ms).is_none()) {
            let is_there = replicas.iter().any(|new| new.id == *id);
            if old.state != ReplicaState::Draining && (was_blind || self.fell_silent(old, now)) {
                let ready_before = self.ready_with(old, replicas);
                if was_blind {
                    let grace_ms = GRACE_MS.max(self.usual(old).unwrap_or(0).saturating_mul(GRACE_BEATS));
                    let one = Missing { started_ms: old.started_ms, since_ms: now, grace_ms, ready_before };
                    self.missing.insert(id.clone(), one);
                } else {
                    self.crashed.insert(id.clone(), ready_before);
                    self.enough_since = None;
                }
            } else if !was_blind && !is_there && !self.crashed.is_empty() {
                self.left.insert(id.clone());
            }
        }
    }

    /// Those that had long enough to come back have crashed.
    fn give_up(&mut self, now: u64, wanted: usize) {
        let is_over = |one: &Missing| now.saturating_sub(one.since_ms) >= one.grace_ms;
        let over: Vec<String> = self.missing.iter().filter(|(_, one)| is_over(one)).map(|(id, _)| id.clone()).collect();
        for id in over {
            // Where nobody says how many there are to be, one that left meanwhile cannot be told from one that died.
            if let Some(one) = self.missing.remove(&id).filter(|_| wanted > 0) {
                self.crashed.insert(id, one.ready_before);
                self.enough_since = None;
            }
        }
    }

    /// How long is usual between two of its signs of life, or of those of all, as long as it gave too few.
    fn usual(&self, old: &Life) -> Option<u64> {
        let own = if old.gaps.len() >= ENOUGH { second_longest(&old.gaps) } else { None };
        own.or_else(|| median(self.last.values().flat_map(|life| life.gaps.iter().copied())))
    }

    /// It gave no sign of life for longer than is usual between two, and a look in between saw it so.
    fn fell_silent(&self, old: &Life, now: u64) -> bool {
        let silent_ms = now.saturating_sub(old.since_ms);
        old.silent_looks > 0 && self.usual(old).is_some_and(|usual| silent_ms > usual.saturating_mul(3) / 2)
    }

    /// How many were ready when this one gave its last sign of life. Its replacement may be ready before its own lease has run
    /// out, and one that died before it may still have its record: neither counts.
    fn ready_with(&self, old: &Life, replicas: &[ReplicaRecord]) -> usize {
        let lived =
            |id: &str, life: &Life| find(replicas, id, life.started_ms).is_some() || life.since_ms >= old.since_ms;
        let was_there = |life: &Life| life.state == ReplicaState::Ready && life.first_ms < old.since_ms;
        self.last.iter().filter(|(id, life)| was_there(life) && lived(id, life)).count()
    }

    /// A crash is over when enough are ready. A group that is smaller by now is whole with fewer.
    fn end(&mut self, replicas: &[ReplicaRecord], now: u64, wanted: usize) {
        let ready = replicas.iter().filter(|replica| replica.state == ReplicaState::Ready).count();
        let needs = |before: usize| match wanted {
            0 => before.saturating_sub(self.left.len()),
            wanted => before.min(wanted),
        };
        if !self.crashed.values().all(|before| ready >= needs(*before)) {
            self.enough_since = None;
            return;
        }
        let since = *self.enough_since.get_or_insert(now);
        if now.saturating_sub(since) >= REPLACED_MS {
            self.crashed.clear();
            self.left.clear();
        }
    }

    fn remember(&mut self, replicas: &[ReplicaRecord], now: u64, was_blind: bool, is_later: bool) {
        let life = |new: &ReplicaRecord| {
            let old = self.last.get(&new.id).filter(|old| old.started_ms == new.started_ms);
            let mut life = Life {
                started_ms: new.started_ms,
                state: new.state,
                beat: new.beat,
                first_ms: old.map_or(now, |old| old.first_ms),
                since_ms: now,
                silent_looks: 0,
                gaps: old.map_or_else(VecDeque::new, |old| old.gaps.clone()),
            };
            match old {
                Some(old) if old.beat == new.beat => {
                    (life.since_ms, life.silent_looks) = (old.since_ms, old.silent_looks + u32::from(is_later));
                }
                Some(old) if !was_blind => {
                    life.gaps.push_back(now.saturating_sub(old.since_ms));
                    if life.gaps.len() > GAPS {
                        life.gaps.pop_front();
                    }
                }
                _ => {}
            }
            (new.id.clone(), life)
        };
        self.last = replicas.iter().map(life).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, beat: u64) -> ReplicaRecord {
        ReplicaRecord { id: id.to_owned(), state: ReplicaState::Ready, beat, ..ReplicaRecord::default() }
    }

    /// One look at a second at a group that is to have three, when each of these gave its last sign of life at that second; who
    /// crashed and is not replaced.
    fn look(crashes: &mut Crashes, now_s: u64, alive: &[(&str, u64)]) -> Vec<String> {
        let replicas: Vec<_> = alive.iter().map(|(id, beat)| record(id, *beat)).collect();
        crashes.look(&replicas, now_s * 1000, 3, false);
        crashes.lasting().map(|(id, _)| id.clone()).collect()
    }

    /// Looks once a second while all of these beat.
    fn beat(crashes: &mut Crashes, ids: &[&str], seconds: std::ops::Range<u64>) -> Vec<String> {
        let mut found = Vec::new();
        for now_s in seconds {
            let alive: Vec<_> = ids.iter().map(|id| (*id, now_s)).collect();
            found = look(crashes, now_s, &alive);
        }
        found
    }

    #[test]
    fn a_pause_of_all_does_not_hide_a_crash_after_it() {
        let mut crashes = Crashes::default();
        beat(&mut crashes, &["a", "b", "c"], 0..6);
        // All of them stand still, for less than their leases.
        for now_s in 6..9 {
            assert!(look(&mut crashes, now_s, &["a", "b", "c"].map(|id| (id, 5))).is_empty());
        }
        beat(&mut crashes, &["a", "b", "c"], 9..11);
        for now_s in 11..13 {
            assert!(look(&mut crashes, now_s, &[("a", 10), ("b", now_s), ("c", now_s)]).is_empty());
        }
        assert_eq!(beat(&mut crashes, &["b", "c"], 13..14), ["a"]);
        // One that has not beaten often enough by itself goes by what is usual in the group.
        assert_eq!(beat(&mut crashes, &["b", "c", "a.1"], 14..18), Vec::<String>::new());
        let found = beat(&mut crashes, &["b", "c", "a.1", "d"], 18..19);
        assert!(found.is_empty(), "{found:?}");
        for now_s in 19..21 {
            look(&mut crashes, now_s, &[("b", now_s), ("c", now_s), ("a.1", now_s), ("d", 18)]);
        }
        assert_eq!(beat(&mut crashes, &["b", "c", "a.1"], 21..22), ["d"]);
    }

    #[test]
    fn two_that_died_one_after_the_other_and_vanish_at_the_same_look_are_replaced_by_two() {
        let mut crashes = Crashes::default();
        beat(&mut crashes, &["a", "b", "c"], 0..8);
        look(&mut crashes, 8, &[("a", 7), ("b", 8), ("c", 8), ("a.1", 8)]);
        look(&mut crashes, 9, &[("a", 7), ("b", 9), ("c", 9), ("a.1", 9)]);
        // Then the whole machine stands still.
        assert!(beat(&mut crashes, &["a.1", "b.1", "c"], 16..21).is_empty(), "they may come back");
        assert_eq!(beat(&mut crashes, &["a.1", "b.1", "c"], 21..22), ["a", "b"]);
        assert!(beat(&mut crashes, &["a.1", "b.1", "c"], 22..25).is_empty(), "three are as many as before");
    }

    #[test]
    fn those_that_come_back_after_all_stood_still_have_not_crashed() {
        let mut crashes = Crashes::default();
        beat(&mut crashes, &["a", "b", "c"], 0..8);
        // Their leases ran out meanwhile; they take them up again one after the other.
        assert!(look(&mut crashes, 20, &[("b", 20)]).is_empty());
        assert!(look(&mut crashes, 21, &[("a", 21), ("b", 21)]).is_empty());
        assert!(beat(&mut crashes, &["a", "b", "c"], 22..40).is_empty());
    }

    #[test]
    fn who_always_looks_late_finds_a_crash_too() {
        let mut crashes = Crashes::default();
        for now_s in (0..40).step_by(4) {
            assert!(look(&mut crashes, now_s, &[("a", now_s), ("b", now_s)]).is_empty());
        }
        let found: Vec<_> = (40..72).step_by(4).map(|now_s| look(&mut crashes, now_s, &[("b", now_s)])).collect();
        // Each time without a look is one second of the five.
        assert!(found[..5].iter().all(Vec::is_empty), "{found:?}");
        assert!(found[5..].iter().all(|found| *found == ["a"]), "{found:?}");
    }

    #[test]
    fn with_a_long_lease_those_that_are_missing_have_longer_to_come_back() {
        let mut crashes = Crashes::default();
        let beat = |now_s: u64| now_s / 10 * 10;
        for now_s in 0..60 {
            look(&mut crashes, now_s, &[("a", beat(now_s)), ("b", beat(now_s))]);
        }
        for now_s in 100..140 {
            let found = look(&mut crashes, now_s, &[("b", beat(now_s))]);
            assert!(found.is_empty(), "{found:?} at {now_s} s");
        }
        assert_eq!(look(&mut crashes, 140, &[("b", 140)]), ["a"]);
    }

    #[test]
    fn where_nobody_says_how_many_there_are_to_be_one_that_is_missing_may_have_left() {
        let mut crashes = Crashes::default();
        beat(&mut crashes, &["a", "b"], 0..8);
        for now_s in 20..40 {
            crashes.look(&[record("b", now_s)], now_s * 1000, 0, false);
            assert_eq!(crashes.lasting().count(), 0, "at {now_s} s");
        }
    }

    #[test]
    fn who_leaves_after_changes_of_its_registration_has_not_crashed() {
        let mut crashes = Crashes::default();
        let beat = |now_s: u64| now_s / 10 * 10;
        for now_s in 0..36 {
            // Three changes right after a sign of life.
            let sign = if now_s < 31 { beat(now_s) } else { now_s.min(33) };
            look(&mut crashes, now_s, &[("a", sign), ("b", beat(now_s))]);
        }
        assert!(look(&mut crashes, 36, &[("b", 30)]).is_empty());
    }

    #[test]
    fn who_leaves_between_two_slow_looks_has_not_crashed() {
        let mut crashes = Crashes::default();
        beat(&mut crashes, &["a", "b"], 0..8);
        assert!(look(&mut crashes, 10, &[("b", 10)]).is_empty());
        assert!(beat(&mut crashes, &["b"], 11..20).is_empty());
    }
}
