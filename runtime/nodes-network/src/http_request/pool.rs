//! Connections that are kept alive between requests.

use std::cell::{Cell, RefCell};
use std::hash::Hash;
use std::rc::Rc;
use std::time::{Duration, Instant};

use flotilla_tasks::Task;
use rustc_hash::FxHashMap;

use super::connect::Sender;
use crate::proxy::Proxy;

/// Server and proxy of a connection.
pub(super) type PoolKey = (String, Option<Proxy>);

/// A connection that was not used for so long is closed. Most servers wait longer.
const IDLE: Duration = Duration::from_secs(30);
/// Idle connections per server and proxy; Node's `maxFreeSockets`.
const MOST: usize = 256;
/// How often the pool is looked through while there is something in it.
const LOOK: Duration = Duration::from_secs(5);

/// The idle connections of a node, per server and proxy.
#[derive(Default)]
pub(super) struct Pool {
    idle: RefCell<Idle<PoolKey, Sender>>,
    /// A task looks after them.
    swept: Cell<bool>,
}

/// What is idle, and since when: the longest first.
struct Idle<K, T>(FxHashMap<K, Vec<(T, Instant)>>);

impl<K, T> Default for Idle<K, T> {
    fn default() -> Self {
        Idle(FxHashMap::default())
    }
}

impl<K: Hash + Eq, T> Idle<K, T> {
    /// The one that was used last.
    fn take(&mut self, key: &K) -> Option<T> {
        self.0.get_mut(key)?.pop().map(|(item, _)| item)
    }

    fn put(&mut self, key: K, item: T, now: Instant) {
        let items = self.0.entry(key).or_default();
        if items.len() >= MOST {
            items.remove(0);
        }
        items.push((item, now));
    }

    /// Drops those that were idle for too long. False when nothing is left.
    fn trim(&mut self, now: Instant, is_closed: impl Fn(&T) -> bool) -> bool {
        self.0.retain(|_, items| {
            items.retain(|(item, since)| now.duration_since(*since) < IDLE && !is_closed(item));
            !items.is_empty()
        });
        !self.0.is_empty()
    }
}

impl Pool {
    /// A connection to this server that still seems open.
    pub(super) fn take(&self, key: &PoolKey) -> Option<Sender> {
        let mut idle = self.idle.borrow_mut();
        std::iter::from_fn(|| idle.take(key)).find(|sender| !sender.is_closed())
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(self: &Rc<Self>, key: PoolKey, sender: Sender) {
        self.idle.borrow_mut().put(key, sender, Instant::now());
        if self.swept.replace(true) {
            return;
        }
        let task = Task {
            name: "http request pool",
            owner: "http request".into(),
            ends: "no connection is idle, or the node is gone",
            failure: "idle connections stay until their servers close them",
        };
        let pool = Rc::downgrade(self);
        task.spawn_local(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let Some(pool) = pool.upgrade() else { return };
                if !pool.idle.borrow_mut().trim(Instant::now(), Sender::is_closed) {
                    pool.swept.set(false);
                    return;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_idle_for_too_long_goes() {
        let (mut idle, begin) = (Idle::default(), Instant::now());
        idle.put("a", 1, begin);
        idle.put("a", 2, begin + IDLE / 2);
        idle.put("b", 3, begin + IDLE / 2);
        assert!(idle.trim(begin + IDLE, |item| *item == 3), "what is closed goes with it");
        assert_eq!((idle.take(&"a"), idle.take(&"a"), idle.take(&"b")), (Some(2), None, None));
        assert!(!idle.trim(begin + IDLE, |_| false));
    }

    #[test]
    fn a_burst_leaves_no_more_than_a_bound() {
        let (mut idle, begin) = (Idle::default(), Instant::now());
        (0..MOST + 3).for_each(|item| idle.put("a", item, begin));
        let left: Vec<usize> = std::iter::from_fn(|| idle.take(&"a")).collect();
        assert_eq!((left.len(), left[0], left[MOST - 1]), (MOST, MOST + 2, 3));
    }
}
