//! One replica that seeks a role, has it, and gives it up.

use std::sync::Arc;
use std::time::Duration;

use flotilla_store::{Acquire, Lease, Moment, Store};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::error::GroupError;
use crate::keys;

/// How often a replica that has not got the role looks whether it is free.
const LOOK: Duration = Duration::from_secs(1);

/// What a replica has of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// Nothing; another may have it.
    Not,
    /// It had the role when it was last looked. While the store is away nobody can take it.
    Had,
}

/// The roles of a group.
#[derive(Clone)]
pub struct Roles {
    store: Arc<dyn Store>,
    group: String,
}

impl Roles {
    /// Those of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Roles, GroupError> {
        keys::check("group name", group)?;
        Ok(Roles { store, group: group.to_owned() })
    }

    /// Who seeks a role. `holder` is another each time. Nothing is asked before [`Seeker::run`].
    pub fn seeker(&self, role: &str, holder: &str, ttl: Duration) -> Seeker {
        Seeker {
            inner: Arc::new(Inner {
                store: self.store.clone(),
                name: keys::role(&self.group, role),
                holder: holder.to_owned(),
                ttl,
                hold: watch::Sender::new(Hold::Not),
                lease: Mutex::default(),
                looked: Mutex::new(Moment::now()),
                answers: watch::Sender::new(0),
                ended: watch::Sender::new(false),
                look: Notify::new(),
            }),
        }
    }
}

/// Seeks a role of a group for one process. Clones are the same.
#[derive(Clone)]
pub struct Seeker {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    name: String,
    holder: String,
    ttl: Duration,
    hold: watch::Sender<Hold>,
    lease: Mutex<Option<Lease>>,
    /// When the lease was last looked at, whether the store answered or not.
    looked: Mutex<Moment>,
    /// How often the store has answered whose the role is.
    answers: watch::Sender<u64>,
    /// Done with the role.
    ended: watch::Sender<bool>,
    look: Notify,
}

impl Seeker {
    /// Seeks the role and keeps it until [`Seeker::give_up`].
    pub async fn run(self) {
        let mut ended = self.inner.ended.subscribe();
        loop {
            let wait = self.look().await;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.inner.look.notified() => {}
                _ = ended.wait_for(|ended| *ended) => break,
            }
        }
        let lease = self.inner.lease.lock().take();
        self.inner.hold.send_replace(Hold::Not);
        if let Some(lease) = lease {
            // A store that is away lets the lease run out.
            let _ = self.inner.store.release(&lease).await;
        }
    }

    /// One look; how long to wait for the next.
    async fn look(&self) -> Duration {
        let inner = &self.inner;
        let known = inner.lease.lock().clone();
        let answer = match &known {
            Some(lease) => inner.store.renew(lease).await.map(Acquire::Granted),
            None => inner.store.acquire(&inner.name, &inner.holder, inner.ttl).await,
        };
        *inner.looked.lock() = Moment::now();
        match answer {
            Ok(Acquire::Granted(lease)) => {
                *inner.lease.lock() = Some(lease);
                inner.hold.send_if_modified(|hold| std::mem::replace(hold, Hold::Had) != Hold::Had);
                inner.answers.send_modify(|answers| *answers += 1);
                inner.ttl / 3
            }
            Ok(Acquire::Held(_)) => {
                inner.hold.send_if_modified(|hold| std::mem::replace(hold, Hold::Not) != Hold::Not);
                inner.answers.send_modify(|answers| *answers += 1);
                LOOK.min(inner.ttl / 3)
            }
            // It ran out, and somebody may have it: that is asked at once. The role is kept until the answer.
            Err(error) if error.is_fenced() => {
                *inner.lease.lock() = None;
                Duration::ZERO
            }
            // Nobody can take the role while the store is away.
            Err(_) => LOOK.min(inner.ttl / 3),
        }
    }

    /// True when this process has the role, as far as it knows.
    pub fn has(&self) -> bool {
        *self.inner.hold.borrow() == Hold::Had
    }

    /// False when this process did not look for so long that another may have the role: after a pause.
    pub fn is_current(&self) -> bool {
        self.inner.looked.lock().elapsed() < self.inner.ttl
    }

    /// Waits for the role.
    pub async fn until_had(&self) {
        let _ = self.inner.hold.subscribe().wait_for(|hold| *hold == Hold::Had).await;
    }

    /// Waits until the role is another's.
    pub async fn until_lost(&self) {
        let _ = self.inner.hold.subscribe().wait_for(|hold| *hold == Hold::Not).await;
    }

    /// Looks after a pause, `patience` long at most. True when the role is not another's.
    pub async fn until_current(&self, patience: Duration) -> bool {
        self.inner.look.notify_one();
        let current = async {
            while !self.is_current() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(patience, current).await;
        self.has()
    }

    /// Looks, and waits until the store has answered, however long. True when this process has the role.
    ///
    /// Who was thrown out of a connection asks so: with the store away for it alone, it would go on as if it had the role
    /// and throw out the one that took it, in turns.
    pub async fn until_answered(&self) -> bool {
        let mut answers = self.inner.answers.subscribe();
        let mut ended = self.inner.ended.subscribe();
        self.inner.look.notify_one();
        tokio::select! {
            _ = answers.changed() => {}
            _ = ended.wait_for(|ended| *ended) => {}
        }
        self.has()
    }

    /// Gives the role up, and seeks it no more.
    pub fn give_up(&self) {
        self.inner.ended.send_replace(true);
    }
}

impl std::fmt::Debug for Seeker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seeker").field("role", &self.inner.name).field("has", &self.has()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn one_at_a_time_has_a_role_and_the_next_gets_it_when_it_is_given_up() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let roles = Roles::new(store, "g").unwrap();
        let seek = |holder: &str| {
            let seeker = roles.seeker("single/b", holder, Duration::from_secs(30));
            (seeker.clone(), seeker.run())
        };
        let ((a, run_a), (b, run_b)) = (seek("a"), seek("b"));
        let steps = async {
            a.until_had().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(!b.has() && b.is_current());
            a.give_up();
            b.until_had().await;
            assert!(!a.has());
            b.give_up();
        };
        tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(run_a, run_b, steps) }).await.unwrap();
    }
}
