//! The beat of a worker, and who has to do something at each look at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Something that is looked after from the watchdog's thread, because the worker's may be busy.
pub trait Pulse: Send + Sync {
    /// Called some times a second. It must not block.
    fn pulse(&self);

    /// The process is to take no more work: closes what it holds open, whatever the worker does.
    fn shut(&self) {}
}

/// A worker's sign of life: it beats with each message that it has handled, and while it has nothing to do.
#[derive(Debug, Default)]
pub struct Beat {
    beats: AtomicU64,
    waiting: AtomicU64,
    script_bytes: AtomicU64,
    silent_ms: AtomicU64,
    over: AtomicBool,
    panicked: AtomicBool,
}

/// Notes on the worker's thread how that ends.
pub(crate) struct Alive(Arc<Beat>);

impl Beat {
    /// Says that the worker goes on.
    pub fn beat(&self) {
        // Only the worker's own thread writes.
        self.beats.store(self.beats.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// So many messages wait there for their node.
    pub(crate) fn set_waiting(&self, messages: usize) {
        self.waiting.store(messages as u64, Ordering::Relaxed);
    }

    /// How many messages waited there for their node when the worker last looked.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The worker's scripts use so many bytes.
    pub fn set_script_bytes(&self, bytes: usize) {
        self.script_bytes.store(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes that the worker's scripts used when that was last measured; 0 where none ran yet.
    pub fn script_bytes(&self) -> u64 {
        self.script_bytes.load(Ordering::Relaxed)
    }

    /// For how long the worker has been busy with one thing.
    pub fn silent(&self) -> Duration {
        Duration::from_millis(self.silent_ms.load(Ordering::Relaxed))
    }

    /// True when its thread panicked.
    pub fn has_panicked(&self) -> bool {
        self.panicked.load(Ordering::Acquire)
    }

    pub(super) fn count(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    pub(super) fn set_silent(&self, silent: Duration) {
        self.silent_ms.store(silent.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Alive {
    pub(crate) fn new(beat: Arc<Beat>) -> Alive {
        Alive(beat)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.panicked.store(std::thread::panicking(), Ordering::Release);
        self.0.over.store(true, Ordering::Release);
    }
}
