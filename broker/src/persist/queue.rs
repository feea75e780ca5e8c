//! Batches on their way to the writer, with a bound.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

use super::{Op, Reply};

/// Between the router and the writer. Bounded by the router, which holds publishers up past
/// [`Queue::is_behind`].
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    bytes: AtomicUsize,
    trouble: Mutex<Option<String>>,
}

/// What came since the last commit.
#[derive(Debug, Default)]
pub struct Waiting {
    /// In order.
    pub ops: Vec<Op>,
    /// To be sent once all of `ops` are on disk, in order.
    pub replies: Vec<Reply>,
    closed: bool,
}

/// Bytes that wait for the disk before publishers are held up.
const MOST: usize = 64 << 20;

impl Queue {
    /// Appends; leaves both empty.
    pub fn submit(&self, ops: &mut Vec<Op>, replies: &mut Vec<Reply>) {
        self.bytes.fetch_add(ops.iter().map(Op::size).sum(), Ordering::Relaxed);
        let mut waiting = self.waiting.lock();
        waiting.ops.append(ops);
        waiting.replies.append(replies);
        drop(waiting);
        self.wake.notify_one();
    }

    /// Waits for something to write, and takes all of it. `None` once it is closed and empty.
    pub fn take(&self) -> Option<Waiting> {
        let mut waiting = self.waiting.lock();
        while waiting.ops.is_empty() && waiting.replies.is_empty() {
            if waiting.closed {
                return None;
            }
            self.wake.wait(&mut waiting);
        }
        let closed = waiting.closed;
        Some(std::mem::replace(&mut *waiting, Waiting { closed, ..Waiting::default() }))
    }

    /// So many bytes are on disk.
    pub fn written(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether the disk does not keep up.
    pub fn is_behind(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > MOST
    }

    /// Why nothing can be written now, or `None` when it can.
    pub fn set_trouble(&self, why: Option<String>) {
        *self.trouble.lock() = why;
    }

    /// Why nothing can be written now.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }

    /// What is there is still written; then the writer ends.
    pub fn close(&self) {
        self.waiting.lock().closed = true;
        self.wake.notify_one();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.waiting.lock().closed
    }
}
