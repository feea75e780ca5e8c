//! The state of one key.

use std::collections::VecDeque;

use crate::{session::SessionKey, share::Waiting};

/// What is known of a key. It exists only while something of it is in flight or waits.
#[derive(Debug, Default)]
pub(super) struct Key {
    /// Who has `in_flight` of it; none when that is 0.
    pub(super) holder: Option<SessionKey>,
    pub(super) in_flight: usize,
    /// In order of arrival.
    pub(super) queue: VecDeque<Waiting>,
    /// Where it is listed, while something waits.
    pub(super) place: Place,
    /// The only member that takes its next message, since the packet is too large for others.
    pub(super) only: Option<SessionKey>,
}

/// Where a key is listed to be served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: nothing waits, or its holder is not the member that is to have it next, and has to finish first.
    #[default]
    Nowhere,
    /// With the ready keys of its shard.
    Ready,
    /// With the keys of a member that have their share of its window.
    Capped,
}

impl Key {
    /// Takes a message in at its place.
    pub(super) fn insert(&mut self, waiting: Waiting) {
        let at = self.queue.partition_point(|other| other.seq < waiting.seq);
        self.queue.insert(at, waiting);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.queue.is_empty()
    }
}
