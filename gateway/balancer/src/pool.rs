//! The replicas that take requests now.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::backend::Backend;

/// What a replica that left has written is still on its way for this long.
const ON_ITS_WAY: Duration = Duration::from_millis(150);

/// The replicas that take requests now, as the registry shows them.
pub struct Pool {
    threads: usize,
    /// Read with every request, without a lock; changed under that of `fading`.
    backends: ArcSwap<Vec<Arc<Backend>>>,
    /// Not routed to any more, with what is open at them; with when the registry had them last.
    fading: Mutex<Vec<(Arc<Backend>, Instant)>>,
    turn: AtomicUsize,
    changed: Notify,
    /// A request has waited in vain since a replica was last ready.
    failfast: AtomicBool,
    /// The group is paused: no request is sent to anybody.
    paused: AtomicBool,
}

impl Pool {
    /// An empty pool, for so many threads.
    pub fn new(threads: usize) -> Arc<Pool> {
        Arc::new(Pool {
            threads,
            backends: ArcSwap::default(),
            fading: Mutex::default(),
            turn: AtomicUsize::new(0),
            changed: Notify::new(),
            failfast: AtomicBool::new(false),
            paused: AtomicBool::new(false),
        })
    }

    /// Sets which replicas are ready; `living` are all that the registry has. Those that stay keep their connections and
    /// their count. What is open at one that the registry does not have any more ends.
    pub fn set_ready(&self, ready: &[(String, SocketAddr)], living: &HashSet<&str>) {
        let now = Instant::now();
        let mut fading = self.fading.lock();
        let before = self.backends.load_full();
        let backend = |(id, address): &(String, SocketAddr)| {
            let same = before.iter().find(|old| old.id == *id && old.address == *address);
            same.cloned().unwrap_or_else(|| Backend::new(id.clone(), *address, self.threads))
        };
        let backends: Vec<Arc<Backend>> = ready.iter().map(backend).collect();
        let kept = |old: &Arc<Backend>| backends.iter().any(|new| Arc::ptr_eq(old, new));
        fading.extend(before.iter().filter(|old| !kept(old)).map(|old| (old.clone(), now)));
        self.backends.store(Arc::new(backends));
        fading.retain_mut(|(backend, last)| {
            if living.contains(backend.id.as_str()) {
                *last = now;
                return true;
            }
            let gone = now.duration_since(*last) >= ON_ITS_WAY;
            if gone {
                backend.gone().cancel();
            }
            !gone
        });
        drop(fading);
        self.changed.notify_waiters();
    }

    /// Says whether the group is paused. Requests that wait for a replica then wait no longer.
    pub fn set_paused(&self, paused: bool) {
        if self.paused.swap(paused, Ordering::AcqRel) != paused {
            self.failfast.store(false, Ordering::Relaxed);
            self.changed.notify_waiters();
        }
    }

    /// True while the group is paused.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// A replica gave a new sign of life: it is routed to again.
    pub fn mark_up(&self, id: &str) {
        let backends = self.backends.load();
        if let Some(backend) = backends.iter().find(|backend| backend.id == id && !backend.is_up()) {
            backend.mark_up();
            self.changed.notify_waiters();
        }
    }

    /// All replicas of the pool.
    pub fn backends(&self) -> Vec<Arc<Backend>> {
        Vec::clone(&self.backends.load())
    }

    /// The replica with the fewest requests in flight that is up and was not tried yet; equals take turns. One that was
    /// ejected comes only when there is no other.
    pub fn pick(&self, tried: &HashSet<String>) -> Option<Arc<Backend>> {
        let backends = self.backends.load();
        if backends.is_empty() {
            return None;
        }
        let from = self.turn.fetch_add(1, Ordering::Relaxed) % backends.len();
        (0..backends.len())
            .map(|offset| &backends[(from + offset) % backends.len()])
            .filter(|backend| backend.is_up() && (tried.is_empty() || !tried.contains(&backend.id)))
            .min_by_key(|backend| (backend.is_ejected(), backend.in_flight()))
            .cloned()
    }

    /// As [`Pool::pick`]; with one, requests wait for a replica again.
    pub(super) fn ready(&self, tried: &HashSet<String>) -> Option<Arc<Backend>> {
        let backend = self.pick(tried)?;
        if self.failfast.load(Ordering::Relaxed) {
            self.failfast.store(false, Ordering::Relaxed);
        }
        Some(backend)
    }

    /// As [`Pool::pick`], and waits for a replica while there is none, for `patience` at most; not at all after a request
    /// has waited in vain, until one is ready again.
    pub async fn wait_for(&self, tried: &mut HashSet<String>, patience: Duration) -> Option<Arc<Backend>> {
        if let Some(backend) = self.ready(tried) {
            return Some(backend);
        }
        if self.failfast.load(Ordering::Relaxed) {
            return None;
        }
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let changed = self.changed.notified();
            if let Some(backend) = self.pick(tried) {
                return Some(backend);
            }
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                self.failfast.store(true, Ordering::Relaxed);
                return None;
            }
            if self.is_paused() {
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

    const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

    fn set(pool: &Pool, ready: &[&str], living: &[&str]) {
        let ready: Vec<_> = ready.iter().map(|id| ((*id).to_owned(), ADDRESS)).collect();
        pool.set_ready(&ready, &living.iter().copied().collect());
    }

    fn pool() -> Arc<Pool> {
        let pool = Pool::new(1);
        set(&pool, &["a", "b", "c"], &["a", "b", "c"]);
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

    #[test]
    fn an_ejected_replica_is_the_last_resort() {
        let pool = pool();
        let eject = |at: usize| while !pool.backends()[at].timed_out() {};
        eject(0);
        assert!((0..6).all(|_| pool.pick(&HashSet::new()).is_some_and(|backend| backend.id != "a")));
        eject(1);
        eject(2);
        assert!(pool.pick(&HashSet::new()).is_some());
    }

    #[test]
    fn what_is_open_ends_only_when_the_registry_does_not_have_it() {
        let pool = pool();
        let b = pool.backends()[1].clone();
        set(&pool, &["a", "c"], &["a", "b", "c"]);
        std::thread::sleep(ON_ITS_WAY);
        set(&pool, &["a", "c"], &["a", "b", "c"]);
        assert!(!b.gone().is_cancelled(), "it drains");
        set(&pool, &["a", "c"], &["a", "c"]);
        assert!(!b.gone().is_cancelled(), "its last answers are on their way");
        std::thread::sleep(ON_ITS_WAY);
        set(&pool, &["a", "c"], &["a", "c"]);
        assert!(b.gone().is_cancelled() && b.gone_on(0).is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_first_waits_in_vain() {
        let pool = Pool::new(1);
        let patience = Duration::from_secs(5);
        let began = tokio::time::Instant::now();
        assert!(pool.wait_for(&mut HashSet::new(), patience).await.is_none());
        assert_eq!(began.elapsed(), patience);
        assert!(pool.wait_for(&mut HashSet::new(), patience).await.is_none());
        assert_eq!(began.elapsed(), patience);
        set(&pool, &["a"], &["a"]);
        assert!(pool.wait_for(&mut HashSet::new(), patience).await.is_some());
        set(&pool, &[], &["a"]);
        assert!(pool.wait_for(&mut HashSet::new(), patience).await.is_none());
        assert_eq!(began.elapsed(), patience * 2, "one was ready since");
    }
}
