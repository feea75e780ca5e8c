//! The processes of a node that run.

use std::cell::RefCell;

use indexmap::IndexSet;

use super::signal;

/// Process ids, of processes that have not been waited for: no other process can have such an id.
#[derive(Default)]
pub(super) struct Running {
    pids: RefCell<IndexSet<u32>>,
}

impl Running {
    pub(super) fn add(&self, pid: u32) {
        self.pids.borrow_mut().insert(pid);
    }

    /// The process was waited for.
    pub(super) fn remove(&self, pid: u32) {
        self.pids.borrow_mut().shift_remove(&pid);
    }

    /// Sends a signal to a process; false when it is none of these.
    pub(super) fn kill(&self, pid: u32, name: &str) -> Result<bool, String> {
        if !self.pids.borrow().contains(&pid) {
            return Ok(false);
        }
        signal::send(pid, name).map(|()| true)
    }

    /// The one process, when there is exactly one.
    pub(super) fn only(&self) -> Option<u32> {
        let pids = self.pids.borrow();
        if pids.len() == 1 { pids.first().copied() } else { None }
    }

    /// Ends all.
    pub(super) fn terminate(&self) {
        for pid in self.pids.borrow_mut().drain(..) {
            // SIGTERM is always known where signals are.
            let _ = signal::send(pid, signal::TERMINATE);
        }
    }
}
