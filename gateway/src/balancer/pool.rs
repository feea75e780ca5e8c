//! The replicas that take requests now.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::Notify;

use super::backend::Backend;

/// The replicas that take requests now, as the registry shows them.
#[derive(Default)]
pub struct Pool {
    backends: RwLock<Vec<Arc<Backend>>>,
    turn: AtomicUsize,
    changed: Notify,
}

impl Pool {
    /// An empty pool.
    pub fn new() -> Arc<Pool> {
        Arc::default()
    }

    /// Sets which replicas are ready. Those that stay keep their connections and their count; those that were marked
    /// down are tried again, because the registry saw a sign of life since.
    pub fn set_ready(&self, ready: &[(String, SocketAddr)]) {
        let mut backends = self.backends.write();
        let kept: Vec<_> = ready
            .iter()
            .map(|(id, address)| {
                let same = backends.iter().find(|old| old.id == *id && old.address == *address);
                same.cloned().unwrap_or_else(|| Backend::new(id.clone(), *address))
            })
            .collect();
        *backends = kept;
        drop(backends);
        self.changed.notify_waiters();
    }

    /// A replica gave a new sign of life: it is routed to again.
    pub fn mark_up(&self, id: &str) {
        if let Some(backend) = self.backends.read().iter().find(|backend| backend.id == id) {
            backend.mark_up();
        }
        self.changed.notify_waiters();
    }

    /// All replicas of the pool.
    pub fn backends(&self) -> Vec<Arc<Backend>> {
        self.backends.read().clone()
    }

    /// The replica with the fewest requests in flight that is up and was not tried yet; equals take turns.
    pub fn pick(&self, tried: &HashSet<String>) -> Option<Arc<Backend>> {
        let backends = self.backends.read();
        if backends.is_empty() {
            return None;
        }
        let from = self.turn.fetch_add(1, Ordering::Relaxed) % backends.len();
        (0..backends.len())
            .map(|offset| &backends[(from + offset) % backends.len()])
            .filter(|backend| backend.is_up() && !tried.contains(&backend.id))
            .min_by_key(|backend| backend.in_flight())
            .cloned()
    }

    /// As [`Pool::pick`], and waits for a replica while there is none, for `patience` at most.
    pub async fn wait_for(&self, tried: &mut HashSet<String>, patience: Duration) -> Option<Arc<Backend>> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let changed = self.changed.notified();
            if let Some(backend) = self.pick(tried) {
                return Some(backend);
            }
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return None;
            }
            // The registry changed: a replica that was tried before may be another process now.
            tried.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Arc<Pool> {
        let pool = Pool::new();
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        pool.set_ready(&[("a".into(), address), ("b".into(), address), ("c".into(), address)]);
        pool
    }

    #[test]
    fn the_least_loaded_is_picked_and_equals_take_turns() {
        let pool = pool();
        let picks: Vec<_> =
            (0..6).filter_map(|_| pool.pick(&HashSet::new())).map(|backend| backend.id.clone()).collect();
        assert_eq!(picks, ["a", "b", "c", "a", "b", "c"]);
        let a = pool.backends()[0].clone();
        let _busy = a.enter();
        assert!((0..6).all(|_| pool.pick(&HashSet::new()).is_some_and(|backend| backend.id != "a")));
    }

    #[test]
    fn a_replica_that_is_down_or_tried_is_not_picked() {
        let pool = pool();
        pool.backends()[0].mark_down();
        let tried = HashSet::from(["b".to_owned()]);
        assert!((0..6).all(|_| pool.pick(&tried).is_some_and(|backend| backend.id == "c")));
        pool.mark_up("a");
        assert!((0..6).any(|_| pool.pick(&tried).is_some_and(|backend| backend.id == "a")));
    }
}
