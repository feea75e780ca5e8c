//! The messages of one key: what is complete is forgotten, what is not is kept to the message.

use std::collections::VecDeque;

use super::chunk::{Chunk, SIZE};

/// See the module. Memory: a pointer for each 256 messages behind the oldest gap, and a chunk for each 256 messages of
/// which something is missing.
#[derive(Clone, Debug, Default)]
pub struct Key {
    /// Number of the first chunk in `chunks`; all before it are complete.
    base: u32,
    chunks: VecDeque<Option<Box<Chunk>>>,
    issued: u32,
    /// The highest sequence that came out, and one.
    highest: u32,
    /// The sequence of the last output, and one.
    last: u32,
}

/// What an output was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The first of its message.
    First {
        /// When the message was due, in ticks; `None` when that was not kept.
        due: Option<u32>,
        /// A later message of the key came out before.
        out_of_order: bool,
        /// It had been noted as failed.
        failed: bool,
    },
    /// One more of a message that came out before.
    Repeated,
    /// A message that was never sent.
    NeverSent,
}

impl Key {
    /// Takes a message in. Gives its sequence and how many due times more are held.
    pub fn issue(&mut self, due: Option<u32>) -> (u32, usize) {
        let seq = self.issued;
        self.issued += 1;
        if seq.is_multiple_of(SIZE) {
            self.chunks.push_back(Some(Box::default()));
        }
        let held = self.chunk(seq).map_or(0, |chunk| chunk.issue(due));
        (seq, held)
    }

    /// Notes an acknowledgement; false when it was noted before, or never sent.
    pub fn ack(&mut self, seq: u32) -> bool {
        let Some(chunk) = self.chunk(seq) else { return false };
        if seq % SIZE >= chunk.issued() {
            return false;
        }
        let new = chunk.ack(seq % SIZE);
        self.forget(seq);
        new
    }

    /// Notes that it failed and no output is to come. Gives whether that is new and nothing had come, and how many due
    /// times were freed.
    pub fn fail(&mut self, seq: u32) -> (bool, usize) {
        let Some(chunk) = self.chunk(seq) else { return (false, 0) };
        let at = seq % SIZE;
        if at >= chunk.issued() {
            return (false, 0);
        }
        let new = chunk.fail(at) && !chunk.received(at);
        let freed = chunk.trim();
        self.forget(seq);
        (new, freed)
    }

    /// Nothing more is expected of it, neither an acknowledgement nor an output.
    pub fn settle(&mut self, seq: u32) {
        if let Some(chunk) = self.chunk(seq) {
            chunk.ack(seq % SIZE);
            chunk.receive(seq % SIZE);
            self.forget(seq);
        }
    }

    /// Notes that an output came, before [`Key::receive`]. Gives the one before it when that was a stale value: a later message
    /// had come out, and it was not the beginning of a repetition of all since, as a redelivery of what was not acknowledged is.
    pub fn follow(&mut self, seq: u32) -> Option<u32> {
        if seq >= self.issued {
            return None;
        }
        let last = std::mem::replace(&mut self.last, seq + 1);
        (0 < last && last < self.highest && seq > last).then(|| last - 1)
    }

    /// The last output when it was a stale value.
    pub fn stale_end(&self) -> Option<u32> {
        (0 < self.last && self.last < self.highest).then(|| self.last - 1)
    }

    /// Notes an output. Gives what it was and how many due times were freed.
    pub fn receive(&mut self, seq: u32) -> (Arrival, usize) {
        if seq >= self.issued {
            return (Arrival::NeverSent, 0);
        }
        let Some(chunk) = self.chunk(seq) else { return (Arrival::Repeated, 0) };
        if !chunk.receive(seq % SIZE) {
            return (Arrival::Repeated, 0);
        }
        let (due, failed) = (chunk.due(seq % SIZE), chunk.failed(seq % SIZE));
        let freed = chunk.trim();
        let out_of_order = seq < self.highest;
        self.highest = self.highest.max(seq + 1);
        self.forget(seq);
        (Arrival::First { due, out_of_order, failed }, freed)
    }

    /// Calls `found` for every message that did not come out though it did not fail, with whether it was acknowledged.
    pub fn each_missing(&self, mut found: impl FnMut(u32, bool)) {
        for (number, chunk) in self.chunks.iter().enumerate() {
            let Some(chunk) = chunk else { continue };
            let start = (self.base + number as u32) * SIZE;
            for at in (0..chunk.issued()).filter(|at| !chunk.received(*at) && !chunk.failed(*at)) {
                found(start + at, chunk.acked(at));
            }
        }
    }

    fn chunk(&mut self, seq: u32) -> Option<&mut Chunk> {
        let number = (seq / SIZE).checked_sub(self.base)?;
        self.chunks.get_mut(number as usize)?.as_deref_mut()
    }

    /// Lets go of the chunk of `seq` if it is complete, and of all complete ones at the front.
    fn forget(&mut self, seq: u32) {
        let Some(number) = (seq / SIZE).checked_sub(self.base) else { return };
        if let Some(slot) = self.chunks.get_mut(number as usize)
            && slot.as_ref().is_some_and(|chunk| chunk.complete())
        {
            *slot = None;
        }
        while self.chunks.front().is_some_and(Option::is_none) {
            self.chunks.pop_front();
            self.base += 1;
        }
    }
}
