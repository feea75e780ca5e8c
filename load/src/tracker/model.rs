//! The tracker beside a model that keeps everything.
#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{KeyKind, Tracker};

/// What happens to messages.
#[derive(Clone, Debug)]
enum Op {
    Issue(u32),
    /// Of the messages of a key, one by its place in a thousandth.
    Confirm(u32, u32),
    Receive(u32, u32),
    /// As for [`Op::Confirm`].
    Fail(u32, u32),
    /// All messages so far of a key are acknowledged and come out.
    Drain(u32),
    Stranger(u32, u32),
}

/// From plain numbers: a strategy of strategies takes longer to make an operation than the tracker takes for it.
fn op() -> impl Strategy<Value = Op> {
    (0u32..19, 0u32..15, any::<u32>()).prop_map(|(kind, key, number)| match kind {
        0..8 => Op::Issue(key % 3),
        8..12 => Op::Confirm(key % 3, number % 1000),
        12..16 => Op::Receive(key % 3, number % 1000),
        16 => Op::Fail(key % 3, number % 1000),
        17 => Op::Drain(key % 3),
        _ => Op::Stranger(key % 5, number),
    })
}

#[derive(Default)]
struct Model {
    due: FxHashMap<(u32, u32), u32>,
    issued: FxHashMap<u32, u32>,
    acked: FxHashSet<(u32, u32)>,
    received: FxHashSet<(u32, u32)>,
    failed: FxHashSet<(u32, u32)>,
    /// Up to where each key was drained: all of that was acknowledged and came out.
    drained: FxHashMap<u32, u32>,
    highest: FxHashMap<u32, u32>,
    repeated: u64,
    disordered: Vec<(u32, u32)>,
    never_sent: u64,
}

impl Model {
    fn receive(&mut self, tracker: &mut Tracker, key: u32, seq: u32) {
        let got = tracker.receive(key, seq, 0);
        if seq >= self.issued.get(&key).copied().unwrap_or_default() {
            self.never_sent += 1;
            assert!(!got.first);
        } else if self.received.insert((key, seq)) {
            assert!(got.first);
            // Of what failed, the due time may be gone.
            if !self.failed.contains(&(key, seq)) || got.due.is_some() {
                assert_eq!(got.due, Some(self.due[&(key, seq)]));
            }
            let highest = self.highest.entry(key).or_default();
            if seq < *highest {
                self.disordered.push((key, seq));
            }
            *highest = seq.max(*highest);
        } else {
            self.repeated += 1;
            assert!(!got.first);
        }
    }
}

proptest! {
    #[test]
    fn it_counts_as_a_model_that_keeps_everything(ops in prop::collection::vec(op(), 0..3000), bulk in 0u32..1500) {
        let mut tracker = Tracker::new(usize::MAX);
        for key in 0..3 {
            tracker.add_key(key.to_string(), KeyKind::default());
        }
        let mut model = Model::default();
        let mut clock = 0;
        let mut issue = |tracker: &mut Tracker, model: &mut Model, key: u32| {
            clock += 7;
            let seq = tracker.issue(key, clock);
            let issued = model.issued.entry(key).or_default();
            assert_eq!(seq, *issued);
            *issued += 1;
            model.due.insert((key, seq), clock);
        };
        for _ in 0..bulk {
            issue(&mut tracker, &mut model, 0);
        }
        for op in ops {
            match op {
                Op::Issue(key) => issue(&mut tracker, &mut model, key),
                Op::Confirm(key, place) => {
                    let issued = model.issued.get(&key).copied().unwrap_or_default();
                    if issued > 0 {
                        let seq = issued * place / 1000;
                        tracker.confirm(key, seq);
                        model.acked.insert((key, seq));
                    }
                }
                Op::Receive(key, place) => {
                    let issued = model.issued.get(&key).copied().unwrap_or_default();
                    if issued > 0 {
                        model.receive(&mut tracker, key, issued * place / 1000);
                    }
                }
                Op::Fail(key, place) => {
                    let issued = model.issued.get(&key).copied().unwrap_or_default();
                    // What came out and was acknowledged is forgotten, and cannot fail any more.
                    let seq = issued * place / 1000;
                    if issued > 0 && !model.received.contains(&(key, seq)) {
                        tracker.fail(key, seq);
                        model.failed.insert((key, seq));
                    }
                }
                Op::Drain(key) => {
                    let issued = model.issued.get(&key).copied().unwrap_or_default();
                    // What was drained before has its share of repeats in the other operations.
                    for seq in model.drained.insert(key, issued).unwrap_or_default()..issued {
                        tracker.confirm(key, seq);
                        model.acked.insert((key, seq));
                        if !model.received.contains(&(key, seq)) {
                            model.receive(&mut tracker, key, seq);
                        }
                    }
                }
                Op::Stranger(key, seq) => model.receive(&mut tracker, key, seq),
            }
        }
        let sent: u64 = model.issued.values().map(|issued| u64::from(*issued)).sum();
        let settled = model.received.union(&model.failed).count() as u64;
        prop_assert_eq!(tracker.outstanding(), sent - settled);
        let (totals, findings) = tracker.finish();
        prop_assert_eq!(totals.sent, sent);
        prop_assert_eq!(totals.confirmed, model.acked.len() as u64);
        prop_assert_eq!(totals.received, model.received.len() as u64);
        prop_assert_eq!(totals.repeated, model.repeated);
        prop_assert_eq!(totals.out_of_order, model.disordered.len() as u64);
        prop_assert_eq!(totals.never_sent, model.never_sent);
        let lost: FxHashSet<_> = findings.lost.iter().map(|one| (one.key.parse::<u32>().unwrap(), one.seq)).collect();
        let wanted: FxHashSet<_> =
            model.acked.iter().filter(|one| !model.received.contains(one) && !model.failed.contains(one)).copied().collect();
        prop_assert_eq!(&lost, &wanted);
        prop_assert_eq!(totals.lost, wanted.len() as u64);
        let known: FxHashSet<_> = model.acked.iter().chain(&model.received).chain(&model.failed).collect();
        prop_assert_eq!(totals.unconfirmed, sent - known.len() as u64);
    }
}

#[test]
fn what_the_generator_sent_again_is_told_apart() {
    let mut tracker = Tracker::new(10);
    let key = tracker.add_key("k".into(), KeyKind::default());
    for due in 0..2 {
        let seq = tracker.issue(key, due);
        tracker.confirm(key, seq);
        tracker.receive(key, seq, 0);
        tracker.receive(key, seq, 0);
    }
    tracker.resent(key, 1);
    tracker.receive(key, 1, 5);
    let (totals, _) = tracker.finish();
    assert_eq!((totals.repeated, totals.repeated_after_resend), (3, 1));
}

#[test]
fn what_need_not_come_out_is_not_lost() {
    let mut tracker = Tracker::new(10);
    let key = tracker.add_key("k".into(), KeyKind { all: false, ..KeyKind::default() });
    tracker.issue(key, 0);
    tracker.confirm(key, 0);
    assert_eq!(tracker.outstanding(), 0);
    assert_eq!(tracker.finish().0.lost, 0);
}

#[test]
fn what_nothing_follows_is_forgotten_and_what_failed_is_not_waited_for() {
    let mut tracker = Tracker::new(10);
    let silent = tracker.add_key("silent".into(), KeyKind { all: false, followed: false, ..KeyKind::default() });
    let key = tracker.add_key("k".into(), KeyKind { promised: false, ..KeyKind::default() });
    for number in 0..1000 {
        let seq = tracker.issue(silent, number);
        tracker.confirm(silent, seq);
    }
    assert_eq!(tracker.due_held(), 0);
    for due in 0..4 {
        tracker.issue(key, due);
    }
    tracker.confirm(key, 0);
    tracker.fail(key, 1);
    tracker.fail(key, 2);
    tracker.receive(key, 2, 0);
    let (totals, findings) = tracker.finish();
    assert_eq!((totals.lost, totals.lost_at_qos0, totals.unconfirmed), (1, 1, 1));
    assert_eq!((findings.lost[0].seq, findings.unconfirmed[0].seq), (0, 3));
}

/// Ten million messages, one lost early, take little.
#[test]
fn memory_stays_small() {
    let mut tracker = Tracker::new(10);
    let key = tracker.add_key("k".into(), KeyKind::default());
    for number in 0..10_000_000u32 {
        let seq = tracker.issue(key, number);
        tracker.confirm(key, seq);
        if seq != 3 {
            tracker.receive(key, seq, 0);
        }
    }
    // Two chunks of 256 are open: the one with the lost message, and the last, which is not full.
    assert!(tracker.due_held() <= 512, "{}", tracker.due_held());
    let (totals, findings) = tracker.finish();
    assert_eq!((totals.lost, findings.lost[0].seq), (1, 3));
}
