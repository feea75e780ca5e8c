//! Every message of a run: exact, in bounded memory.

use std::collections::HashSet;

use rustc_hash::FxBuildHasher;

use super::finding::{Finding, Findings};
use super::key::{Arrival, Key};
use super::totals::Totals;

/// How many due times are kept: 4 bytes each. With more messages on the way at once, those beyond have no latency; they
/// are still counted.
const MOST_DUE: usize = 16_000_000;

/// How many messages that were sent again are remembered.
const MOST_RESENT: usize = 1_000_000;

/// Knows of each message whether it was acknowledged and whether it came out. Repeats are exact however late they come: what
/// is complete is known to be complete. Ten million messages that all come out take a few kilobytes; ten million of which
/// none comes out take 44 MB.
#[derive(Debug)]
pub struct Tracker {
    keys: Vec<Tracked>,
    totals: Totals,
    findings: Findings,
    most_findings: usize,
    due_held: usize,
    resent: HashSet<(u32, u32), FxBuildHasher>,
    /// Failed, and nothing came out of them.
    failed: u64,
    /// What was left behind at the end is counted.
    finished: bool,
}

#[derive(Debug)]
struct Tracked {
    name: String,
    key: Key,
    kind: KeyKind,
}

/// What is expected of a key's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is asked for on its own")]
pub struct KeyKind {
    /// False: an output for each message is not expected, so none is lost.
    pub all: bool,
    /// False: the messages of this key share an order with nobody.
    pub ordered: bool,
    /// False: nothing comes out at all; what is acknowledged is forgotten.
    pub followed: bool,
    /// False: messages go or come at QoS 0, so a broker may drop them.
    pub promised: bool,
}

impl Default for KeyKind {
    fn default() -> KeyKind {
        KeyKind { all: true, ordered: true, followed: true, promised: true }
    }
}

/// What an output was, for the histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// When the message was due, in ticks; `None` for repeats, unknown ones and where it was not kept.
    pub due: Option<u32>,
    /// It came out for the first time.
    pub first: bool,
}

impl Tracker {
    /// An empty one that keeps so many findings of each kind.
    pub fn new(most_findings: usize) -> Tracker {
        Tracker {
            keys: Vec::new(),
            totals: Totals::default(),
            findings: Findings::default(),
            most_findings,
            due_held: 0,
            resent: HashSet::default(),
            failed: 0,
            finished: false,
        }
    }

    /// Adds a key; gives its number.
    pub fn add_key(&mut self, name: String, kind: KeyKind) -> u32 {
        self.keys.push(Tracked { name, key: Key::default(), kind });
        self.keys.len() as u32 - 1
    }

    /// The name of a key.
    pub fn name(&self, key: u32) -> &str {
        self.keys.get(key as usize).map_or("", |tracked| &tracked.name)
    }

    /// The next message of a key, due at this tick; gives its sequence.
    pub fn issue(&mut self, key: u32, due: u32) -> u32 {
        let Some(tracked) = self.keys.get_mut(key as usize) else { return 0 };
        let (seq, held) = tracked.key.issue((tracked.kind.followed && self.due_held < MOST_DUE).then_some(due));
        self.due_held += held;
        self.totals.sent += 1;
        seq
    }

    /// It was acknowledged.
    pub fn confirm(&mut self, key: u32, seq: u32) {
        if let Some(tracked) = self.keys.get_mut(key as usize)
            && tracked.key.ack(seq)
        {
            self.totals.confirmed += 1;
            if !tracked.kind.followed {
                tracked.key.settle(seq);
            }
        }
    }

    /// It failed for good: no output is waited for, and it is neither lost nor unconfirmed.
    pub fn fail(&mut self, key: u32, seq: u32) {
        let Some(tracked) = self.keys.get_mut(key as usize) else { return };
        let (new, freed) = tracked.key.fail(seq);
        self.due_held -= freed;
        self.failed += u64::from(new);
        if !tracked.kind.followed {
            tracked.key.settle(seq);
        }
    }

    /// It was sent again after a reconnect.
    pub fn resent(&mut self, key: u32, seq: u32) {
        self.totals.resent += 1;
        if self.resent.len() < MOST_RESENT {
            self.resent.insert((key, seq));
        }
    }

    /// An output came, so many milliseconds after the begin of the run.
    pub fn receive(&mut self, key: u32, seq: u32, at_ms: u64) -> Received {
        let Some(tracked) = self.keys.get_mut(key as usize) else {
            self.totals.never_sent += 1;
            return Received { due: None, first: false };
        };
        if let Some(stale) = tracked.key.follow(seq).filter(|_| tracked.kind.ordered) {
            self.totals.stale += 1;
            keep(&mut self.findings.stale, self.most_findings, tracked, stale, Some(at_ms));
        }
        let (arrival, freed) = tracked.key.receive(seq);
        self.due_held -= freed;
        match arrival {
            Arrival::First { due, out_of_order, failed } => {
                self.totals.received += 1;
                self.failed -= u64::from(failed);
                self.totals.untimed += u64::from(due.is_none());
                if out_of_order && tracked.kind.ordered {
                    self.totals.out_of_order += 1;
                    keep(&mut self.findings.out_of_order, self.most_findings, tracked, seq, Some(at_ms));
                }
                Received { due, first: true }
            }
            Arrival::Repeated => {
                self.totals.repeated += 1;
                self.totals.repeated_after_resend += u64::from(self.resent.contains(&(key, seq)));
                keep(&mut self.findings.repeated, self.most_findings, tracked, seq, Some(at_ms));
                Received { due: None, first: false }
            }
            Arrival::NeverSent => {
                self.totals.never_sent += 1;
                Received { due: None, first: false }
            }
        }
    }

    /// Counts that come from elsewhere: errors, reconnects, outputs without a mark.
    pub fn totals_mut(&mut self) -> &mut Totals {
        &mut self.totals
    }

    /// What was counted so far; `lost` and `unconfirmed` only after [`Tracker::finish`].
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Messages confirmed or not that are to come out and did not yet.
    pub fn outstanding(&self) -> u64 {
        if self.keys.iter().all(|tracked| tracked.kind.all) {
            self.totals.sent - self.totals.received - self.failed
        } else {
            let missing = |tracked: &Tracked| {
                let mut count = 0;
                tracked.key.each_missing(|_, _| count += 1);
                count
            };
            self.keys.iter().filter(|tracked| tracked.kind.all).map(missing).sum()
        }
    }

    /// How many due times are kept now.
    #[cfg(test)]
    pub(super) fn due_held(&self) -> usize {
        self.due_held
    }

    /// Counts what is missing, at the end.
    pub fn finish(&mut self) -> (Totals, Findings) {
        self.totals.lost = 0;
        self.totals.lost_at_qos0 = 0;
        self.totals.unconfirmed = 0;
        for tracked in self.keys.iter().filter(|tracked| tracked.kind.ordered) {
            let Some(seq) = tracked.key.stale_end().filter(|_| !self.finished) else { continue };
            self.totals.stale += 1;
            keep(&mut self.findings.stale, self.most_findings, tracked, seq, None);
        }
        self.finished = true;
        for tracked in self.keys.iter().filter(|tracked| tracked.kind.all) {
            tracked.key.each_missing(|seq, acked| {
                let (count, list) = if acked {
                    (&mut self.totals.lost, &mut self.findings.lost)
                } else {
                    (&mut self.totals.unconfirmed, &mut self.findings.unconfirmed)
                };
                *count += 1;
                self.totals.lost_at_qos0 += u64::from(acked && !tracked.kind.promised);
                keep(list, self.most_findings, tracked, seq, None);
            });
        }
        (self.totals, self.findings.clone())
    }
}

/// Keeps a finding about a message of a key, unless there are `most` of its kind.
fn keep(list: &mut Vec<Finding>, most: usize, of: &Tracked, seq: u32, at_ms: Option<u64>) {
    if list.len() < most {
        list.push(Finding { key: of.name.clone(), seq, at_ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_findings_of_each_kind_are_kept_and_all_are_counted() {
        let mut tracker = Tracker::new(2);
        let key = tracker.add_key("k".to_owned(), KeyKind::default());
        for _ in 0..10 {
            tracker.issue(key, 0);
        }
        for seq in [3, 3, 3, 3, 2, 1, 0] {
            tracker.receive(key, seq, 7);
        }
        let (totals, findings) = tracker.finish();
        assert_eq!((totals.repeated, totals.out_of_order), (3, 3));
        for (list, seqs) in [(&findings.repeated, [3, 3]), (&findings.out_of_order, [2, 1])] {
            assert_eq!(list.iter().map(|finding| finding.seq).collect::<Vec<_>>(), seqs);
            assert!(list.iter().all(|finding| finding.key == "k" && finding.at_ms == Some(7)));
        }
    }

    /// How many outputs left an old value behind, of one key with four messages.
    fn stale(outputs: &[u32]) -> u64 {
        let mut tracker = Tracker::new(4);
        let key = tracker.add_key("k".to_owned(), KeyKind::default());
        for _ in 0..4 {
            tracker.issue(key, 0);
        }
        for seq in outputs {
            tracker.receive(key, *seq, 0);
        }
        tracker.finish().0.stale
    }

    #[test]
    fn an_old_value_is_one_behind_which_what_is_newer_does_not_come_again() {
        assert_eq!(stale(&[0, 1, 2, 3]), 0);
        assert_eq!(stale(&[0, 1, 2, 1, 2, 3]), 0, "what was not acknowledged comes again, all of it");
        assert_eq!(stale(&[0, 1, 2, 1, 1, 2, 3, 3]), 0, "twice");
        assert_eq!(stale(&[0, 2, 3]), 0, "one is lost, nothing is old");
        assert_eq!(stale(&[0, 1, 2, 0, 3]), 1, "a straggler");
        assert_eq!(stale(&[0, 1, 2, 3, 1]), 1, "and nothing behind it");
        assert_eq!(stale(&[0, 1, 2, 1, 2, 0, 3]), 1);
    }
}
