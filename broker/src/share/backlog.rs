//! Messages that wait, in order of arrival.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use super::Blame;
use crate::message::Message;

/// A message in a share group that no member has been sent.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Order of arrival in the group.
    pub seq: u64,
    /// When it arrived.
    pub since: Instant,
    /// The message.
    pub message: Arc<Message>,
    /// It was retained when the group began: it goes out with the retain flag.
    pub retained: bool,
    /// Processes that died with it, if any did.
    pub blame: Option<Box<Blame>>,
}

impl Waiting {
    /// Whether it is to be handed to a member that holds nothing else.
    pub fn is_suspect(&self) -> bool {
        self.blame.as_ref().is_some_and(|blame| blame.is_suspect())
    }
}

/// Messages that wait, always in order of arrival: what comes back from a member that went away
/// takes its old place.
#[derive(Debug, Default)]
pub struct Backlog {
    queue: VecDeque<Waiting>,
    bytes: usize,
}

impl Backlog {
    /// Messages.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The oldest.
    pub fn front(&self) -> Option<&Waiting> {
        self.queue.front()
    }

    /// Appends a message that arrived now.
    pub fn push(&mut self, waiting: Waiting) {
        debug_assert!(self.queue.back().is_none_or(|last| last.seq < waiting.seq));
        self.bytes += waiting.message.size();
        self.queue.push_back(waiting);
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.queue.pop_front()?;
        self.bytes -= waiting.message.size();
        if self.queue.is_empty() && self.queue.capacity() > 1024 {
            self.queue = VecDeque::new();
        }
        Some(waiting)
    }

    /// Puts messages back where they stood.
    pub fn give_back(&mut self, mut batch: Vec<Waiting>) {
        batch.sort_unstable_by_key(|waiting| waiting.seq);
        self.bytes += batch.iter().map(|waiting| waiting.message.size()).sum::<usize>();
        let Some(last) = batch.last().map(|waiting| waiting.seq) else { return };
        if self.queue.front().is_none_or(|first| last < first.seq) {
            for waiting in batch.into_iter().rev() {
                self.queue.push_front(waiting);
            }
            return;
        }
        self.queue.extend(batch);
        self.queue.make_contiguous().sort_by_key(|waiting| waiting.seq);
    }

    /// Takes all.
    pub fn drain(&mut self) -> Vec<Waiting> {
        self.bytes = 0;
        std::mem::take(&mut self.queue).into()
    }
}
