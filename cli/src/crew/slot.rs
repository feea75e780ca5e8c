//! What another image of this process needs to go on with a place.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

/// A place: how often its replica was started, and the process that runs.
#[derive(Clone, Debug, Default)]
pub struct Slot(Arc<Mutex<Content>>);

/// What is in a place.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// How often a replica was started there before.
    pub(super) generation: u64,
    /// The process that runs.
    pub(super) held: Option<Held>,
}

/// A process that runs.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) id: String,
    pub(super) pid: u32,
    /// When it started, milliseconds since the epoch.
    pub(super) born_ms: u64,
    /// Closing it asks the replica to drain.
    pub(super) stdin: OwnedFd,
    /// What it writes; `None` when that cannot be had.
    pub(super) stderr: Option<OwnedFd>,
}

impl Slot {
    /// True when a process runs there.
    pub(super) fn is_taken(&self) -> bool {
        self.lock().held.is_some()
    }

    /// Nobody starts or ends a process of this place while this is held.
    pub(super) fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock()
    }
}
