//! A member, as dispatch by key sees it.

use std::{collections::VecDeque, time::Instant};

use smallvec::SmallVec;

/// A member of a group with keyed delivery.
#[derive(Debug)]
pub(super) struct Member {
    /// Of its stable name.
    pub(super) name: u64,
    /// How many unacknowledged messages it takes.
    pub(super) window: usize,
    /// Sent to it and not acknowledged, of this group.
    pub(super) in_flight: usize,
    /// Its shards that have ready keys, to be served in turns.
    pub(super) ready: VecDeque<u16>,
    /// Its keys that have their share of its window, and more waiting. There are few: each has a quarter of it.
    pub(super) capped: SmallVec<[u64; 4]>,
    /// It is gone for long, or acknowledges nothing: others have its keys.
    pub(super) absence: Absence,
}

/// Whether a member is given keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It is.
    Present,
    /// Its connection is gone.
    Away,
    /// Its window has been full without an acknowledgement, and since when it has been without keys.
    Stalled(Instant),
}

impl Member {
    pub(super) fn new(name: u64, window: usize) -> Self {
        Self {
            name,
            window: window.max(1),
            in_flight: 0,
            ready: VecDeque::new(),
            capped: SmallVec::new(),
            absence: Absence::Present,
        }
    }

    /// What one key may have in flight while others wait.
    pub(super) fn quarter(&self) -> usize {
        (self.window / 4).max(1)
    }

    /// What one key may have in flight in any case: a quarter of the window is for keys that come later.
    pub(super) fn most(&self) -> usize {
        (self.window - self.window / 4).max(1)
    }
}
