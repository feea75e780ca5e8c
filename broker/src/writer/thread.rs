//! The writer's thread: one batch after the other.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tracing::error;

use crate::{
    persist::{Clock, Op, Queue, Store},
    router::Router,
};

/// After a failed write (a full disk, most likely) it is tried again this much later.
const RETRY: Duration = Duration::from_secs(1);

/// Writes what the router records until the queue is closed. What cannot be written is not
/// acknowledged: publishers wait, and it is tried again.
pub fn run(mut store: Store, queue: &Arc<Queue>, router: &Arc<Mutex<Router>>, clock: Clock) {
    while let Some(waiting) = queue.take() {
        if !waiting.ops.is_empty() && !write(&mut store, queue, &waiting.ops, clock) {
            return;
        }
        queue.written(waiting.ops.iter().map(Op::size).sum());
        router.lock().committed(waiting.replies);
    }
}

/// False when the broker ends before it could be written.
fn write(store: &mut Store, queue: &Queue, ops: &[Op], clock: Clock) -> bool {
    let mut failed = false;
    while let Err(error) = store.commit(ops, clock) {
        error!(%error, file = %store.path.display(), "cannot write; nothing is acknowledged until it can");
        if queue.is_closed() {
            return false;
        }
        queue.set_trouble(Some(format!("cannot write {}: {error}", store.path.display())));
        failed = true;
        std::thread::sleep(RETRY);
    }
    if failed {
        queue.set_trouble(None);
    }
    true
}
