//! Collects what a batch changes, and the answers that wait for it.

use std::sync::Arc;

use super::{Clock, Op, Queue, Reply, ReplyKind};
use crate::session::SessionKey;

/// The router's side of persistence: collects what one batch changes, and the answers that wait for it.
#[derive(Debug)]
pub struct Journal {
    ops: Vec<Op>,
    replies: Vec<Reply>,
    /// Bytes of filters that were recorded since the last answer.
    filters: usize,
    queue: Arc<Queue>,
    clock: Clock,
    last_key: u64,
    last_seq: u64,
}

impl Journal {
    /// Continues after the highest numbers that were stored.
    pub fn new(queue: Arc<Queue>, clock: Clock, last_key: u64, last_seq: u64) -> Self {
        Self { ops: Vec::new(), replies: Vec::new(), filters: 0, queue, clock, last_key, last_seq }
    }

    /// Both clocks.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// A number for a new session or group.
    pub fn next_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    /// A number for a new message of a session.
    pub fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// Records a change.
    pub fn record(&mut self, op: Op) {
        if let Op::PutSubscription { filter, .. } | Op::DropSubscription { filter, .. } = &op {
            self.filters += filter.len();
        }
        self.ops.push(op);
    }

    /// Answers once everything recorded so far is on disk. How many bytes the connection is accounted with until then: those of
    /// the answer, and of the filters that it is about.
    pub fn reply(&mut self, session: SessionKey, epoch: u64, kind: ReplyKind) -> usize {
        let filters = std::mem::take(&mut self.filters);
        let size = match kind.size() {
            0 => 0,
            size => size + filters,
        };
        self.replies.push(Reply { session, epoch, kind, size });
        size
    }

    /// Whether the disk does not keep up.
    pub fn is_behind(&self) -> bool {
        self.queue.is_behind()
    }

    /// Why nothing is written and acknowledged now: a full disk, most likely.
    pub fn trouble(&self) -> Option<String> {
        self.queue.trouble()
    }

    /// Ends the batch.
    pub fn submit(&mut self) {
        if !self.ops.is_empty() || !self.replies.is_empty() {
            self.queue.submit(&mut self.ops, &mut self.replies);
        }
    }
}
