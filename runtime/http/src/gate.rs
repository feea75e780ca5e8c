//! How many requests are in the flow at once, and how many may wait for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of bodies that are being read at once: they wait for no place in the flow.
const READING: usize = 256 << 20;

/// `max_in_flight` requests run, as many wait, the next is refused.
pub(super) struct Gate {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    limit: usize,
    reading: AtomicUsize,
}

/// What a body takes of the room for bodies, while it is read.
pub(super) struct Room<'a> {
    reading: &'a AtomicUsize,
    taken: usize,
}

struct Waiting<'a>(&'a AtomicUsize);

impl Gate {
    pub(super) fn new(limit: usize) -> Gate {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Gate {
            running: Arc::new(Semaphore::new(limit)),
            waiting: AtomicUsize::new(0),
            limit,
            reading: AtomicUsize::new(0),
        }
    }

    /// Room for a body that is about to be read.
    pub(super) fn room(&self) -> Room<'_> {
        Room { reading: &self.reading, taken: 0 }
    }

    /// A place in the flow; `None` when too many wait already.
    pub(super) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.running.clone().try_acquire_owned() {
            return Some(permit);
        }
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.limit {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        // The client may go away while it waits: its place is given back in any case.
        let _place = Waiting(&self.waiting);
        self.running.clone().acquire_owned().await.ok()
    }
}

impl Room<'_> {
    /// Takes room for more bytes. False when there is none.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        self.taken += bytes;
        self.reading.fetch_add(bytes, Ordering::AcqRel) + bytes <= READING
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.reading.fetch_sub(self.taken, Ordering::AcqRel);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn bodies_share_their_room_and_give_it_back() {
        let gate = Gate::new(1);
        let mut first = gate.room();
        assert!(first.take(READING));
        assert!(!gate.room().take(1));
        drop(first);
        assert!(gate.room().take(1));
    }

    #[test]
    fn the_third_of_one_is_refused() {
        let gate = Gate::new(1);
        let first = gate.enter().now_or_never().flatten();
        assert!(first.is_some());
        let mut second = Box::pin(gate.enter());
        assert!((&mut second).now_or_never().is_none());
        assert!(gate.enter().now_or_never().unwrap().is_none());
        drop(first);
        assert!(second.now_or_never().unwrap().is_some());
        assert_eq!(gate.waiting.load(Ordering::Acquire), 0);
    }
}
