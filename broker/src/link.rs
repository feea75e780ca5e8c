//! The way out to one client.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::sync::Notify;

use flotilla_codec::Reason;

/// The way out to one client: encoded bytes that wait for its socket. The router appends, the
/// connection's task writes.
#[derive(Debug)]
pub struct Link {
    out: Mutex<Out>,
    /// Something to write, or to close.
    pub wake: Notify,
    /// The bytes that wait fell below half of the bound.
    pub drained: Notify,
    /// Bytes of answers that wait for the disk, about: they are in no buffer yet.
    owed: AtomicUsize,
    limit: usize,
}

#[derive(Debug, Default)]
struct Out {
    buffer: BytesMut,
    /// Bytes taken by the task, not yet written.
    writing: usize,
    /// Bytes that will be appended when the disk has what they stand on.
    promised: usize,
    /// The router held something back: tell it when there is room.
    starved: bool,
    /// The last pause for this link ended without progress: publishers no longer wait for it.
    stalled: bool,
    /// The session's queue is half full.
    behind: bool,
    /// Counts what was written or acknowledged.
    progress: u64,
    close: Option<Close>,
}

/// Why the router ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// Told to an MQTT 5 client in DISCONNECT.
    pub reason: Reason,
}

impl Link {
    /// A link that holds back past `limit` encoded bytes.
    pub fn new(limit: usize) -> Self {
        Self { out: Mutex::default(), wake: Notify::new(), drained: Notify::new(), owed: AtomicUsize::new(0), limit }
    }

    /// Appends with `encode`, unless the connection ends.
    pub fn append(&self, encode: impl FnOnce(&mut BytesMut)) -> Offered {
        let mut out = self.out.lock();
        let idle = out.buffer.is_empty();
        if out.close.is_none() {
            encode(&mut out.buffer);
        }
        let pressed = !out.stalled && out.buffer.len() + out.writing >= self.limit / 2;
        Offered { idle, pressed }
    }

    /// Whether messages may be appended now. If not, [`Self::written`] tells when to ask again.
    pub fn has_room(&self) -> bool {
        let mut out = self.out.lock();
        let room = out.buffer.len() + out.writing + out.promised < self.limit && out.close.is_none();
        out.starved |= !room;
        room
    }

    /// Keeps room for bytes that are appended later.
    pub fn promise(&self, bytes: usize) {
        self.out.lock().promised += bytes;
    }

    /// The bytes are appended next.
    pub fn keep_promise(&self, bytes: usize) {
        let mut out = self.out.lock();
        out.promised = out.promised.saturating_sub(bytes);
    }

    /// Ends the connection once what waits is written.
    pub fn close(&self, reason: Reason) {
        self.out.lock().close.get_or_insert(Close { reason });
        self.wake.notify_one();
    }

    /// Moves what waits into `into` if that is empty. `Some` when the connection ends after it.
    pub fn take(&self, into: &mut BytesMut) -> Option<Close> {
        let mut out = self.out.lock();
        if into.is_empty() {
            std::mem::swap(&mut out.buffer, into);
            out.writing = into.len();
        }
        out.close
    }

    /// Whether answers pile up, past the bound for messages: the client asks and does not read.
    pub fn is_choked(&self) -> bool {
        let out = self.out.lock();
        out.buffer.len() + out.writing >= self.limit * 2
    }

    /// An answer of about this size waits for the disk.
    pub fn owe(&self, bytes: usize) {
        self.owed.fetch_add(bytes, Ordering::Relaxed);
    }

    /// It is appended next.
    pub fn pay(&self, bytes: usize) {
        self.owed.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether as many answers wait for the disk as may: the client is not to blame. An answer that is appended wakes its task.
    pub fn waits_for_disk(&self) -> bool {
        self.owed.load(Ordering::Relaxed) >= self.limit * 2
    }

    /// The task wrote everything it took. True when the router held something back meanwhile.
    pub fn written(&self) -> bool {
        let mut out = self.out.lock();
        out.writing = 0;
        out.stalled = false;
        out.progress += 1;
        let below = out.buffer.len() < self.limit / 2;
        if below && !out.behind {
            self.drained.notify_waiters();
        }
        below && std::mem::take(&mut out.starved)
    }

    /// The session's queue is half full, or no longer.
    pub fn set_behind(&self, behind: bool) {
        let mut out = self.out.lock();
        out.progress += 1;
        if out.behind && !behind {
            self.drained.notify_waiters();
        }
        out.behind = behind;
    }

    /// Whether publishers should pause for it, and a number that changes when it gets on.
    pub fn pressure(&self) -> (bool, u64) {
        let out = self.out.lock();
        let much = out.behind || out.buffer.len() + out.writing >= self.limit / 2;
        (much && out.close.is_none() && !out.stalled, out.progress)
    }

    /// A publisher waited for this link in vain: no other does before it gets on.
    pub fn mark_stalled(&self) {
        self.out.lock().stalled = true;
    }
}

/// What [`Link::append`] did.
#[derive(Debug, Clone, Copy)]
pub struct Offered {
    /// The task has to be woken.
    pub idle: bool,
    /// At least half of the bound waits: slow the publisher.
    pub pressed: bool,
}
