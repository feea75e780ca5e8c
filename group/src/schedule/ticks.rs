//! Claims on ticks.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use flotilla_store::{Entry, Expect, Store, Write};

use super::fired::Fired;
use crate::error::GroupError;
use crate::keys;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;

/// Claims on the ticks of a group's timers. There is no leader: replicas compete with one compare-and-swap on what fired
/// last.
#[derive(Clone)]
pub struct Ticks {
    store: Arc<dyn Store>,
    group: String,
}

/// A claim on a tick of a node. Times are milliseconds on the group's clock, the same in every replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed<'a> {
    /// The node's id.
    pub node: &'a str,
    /// When the tick is due.
    pub scheduled_ms: i64,
    /// When the one before it was due.
    pub before_ms: Option<i64>,
    /// What time it is for who asks.
    pub now_ms: i64,
    /// The replica that asks, when the claim is to end with the work: until [`Ticks::end`], another may run it again.
    pub replica: Option<&'a str>,
}

impl Ticks {
    /// The ticks of a group.
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Ticks, GroupError> {
        keys::check("group name", group)?;
        Ok(Ticks { store, group: group.to_owned() })
    }

    /// True when the caller is to fire this tick of a node: it is later than the last that fired, and nobody else claimed
    /// it. Where the clock was set back, it is one that did not fire before.
    pub async fn claim(&self, claim: &Claimed<'_>) -> Result<bool, GroupError> {
        self.change(claim.node, |fired| {
            let granted = fired.add(claim.scheduled_ms, claim.before_ms, claim.now_ms);
            if let Some(replica) = claim.replica.filter(|_| granted) {
                fired.begin(claim.scheduled_ms, replica);
            }
            granted
        })
        .await
    }

    /// The work of a tick that was claimed with its replica has ended; or it was given up, and another is to run it.
    pub async fn end(&self, node: &str, scheduled_ms: i64, replica: &str, given_up: bool) -> Result<(), GroupError> {
        self.change(node, |fired| {
            if given_up { fired.pass(scheduled_ms, replica, "") } else { fired.end(scheduled_ms, replica) }
        })
        .await
        .map(drop)
    }

    /// A tick whose replica is gone and that is the caller's to run now. Call it only where a replica without a lease can
    /// be taken for dead. `runs` says which the caller itself runs: one that it holds and does not run was granted to it
    /// without its hearing so.
    pub async fn take_over(
        &self,
        node: &str,
        replica: &str,
        runs: impl Fn(i64) -> bool,
    ) -> Result<Option<i64>, GroupError> {
        let key = keys::tick(&self.group, node);
        let Some(fired) = self.store.get(&key).await?.and_then(|entry| Fired::read(&entry.value)) else {
            return Ok(None);
        };
        if fired.open().next().is_none() {
            return Ok(None);
        }
        let held = self.store.leases(&keys::member_lease("")).await?;
        let lives = |id: &str| held.iter().any(|lease| lease.name == keys::member_lease(id));
        let mut open = fired.open();
        let found = open.find(|open| !if open.replica == replica { runs(open.tick) } else { lives(&open.replica) });
        let Some(found) = found.filter(|_| lives(replica)) else { return Ok(None) };
        let taken = self.change(node, |fired| fired.pass(found.tick, &found.replica, replica)).await?;
        Ok(taken.then_some(found.tick))
    }

    /// True when the caller is to fire what runs once when the group starts: no replica asked within `within` before, on
    /// the store's clock. Each that asks keeps the others of the same start from firing.
    pub async fn claim_start(&self, node: &str, within: Duration) -> Result<bool, GroupError> {
        let key = keys::tick(&self.group, &format!("{node}/start"));
        let entry = self.store.get(&key).await?;
        let expected = entry.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version));
        let write = Write::expiring(within);
        let swapped = self.store.cas(&key, expected, Some(Bytes::from_static(b"1")), write).await?;
        Ok(entry.is_none() && swapped.is_swapped())
    }

    /// Says that the group still runs what was started once: starts of single replicas are no new start of the group.
    pub async fn keep_start(&self, node: &str, within: Duration) -> Result<(), GroupError> {
        let key = keys::tick(&self.group, &format!("{node}/start"));
        self.store.set(&key, Bytes::from_static(b"1"), Write::expiring(within)).await?;
        Ok(())
    }

    /// The store's clock in milliseconds since the epoch: the group's.
    pub async fn now_ms(&self) -> Result<i64, GroupError> {
        Ok(self.store.now().await?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64))
    }

    /// By how much the group's steady clock is ahead of the store's: it grows each time the store's is set back.
    pub async fn ahead_ms(&self) -> Result<i64, GroupError> {
        let entry = self.store.get(&keys::clock(&self.group)).await?;
        entry.map_or(Ok(0), |entry| keys::read("the group's clock", &entry))
    }

    /// Puts the steady clock forward, unless somebody has since `known` was read. True when it was done.
    pub async fn put_forward(&self, known: i64, ahead_ms: i64) -> Result<bool, GroupError> {
        let key = keys::clock(&self.group);
        let expected = match self.store.get(&key).await? {
            None if known == 0 => Expect::Absent,
            Some(entry) if keys::read::<i64>("the group's clock", &entry)? == known => Expect::Version(entry.version),
            _ => return Ok(false),
        };
        let value = Bytes::from(ahead_ms.to_string());
        Ok(self.store.cas(&key, expected, Some(value), Write::default()).await?.is_swapped())
    }

    /// The last tick of a node that fired in the group.
    pub async fn last(&self, node: &str) -> Result<Option<i64>, GroupError> {
        let entry = self.store.get(&keys::tick(&self.group, node)).await?;
        Ok(entry.and_then(|entry| Fired::read(&entry.value)?.last()))
    }

    /// Changes what is known of a node's ticks. What `change` answers; nothing is written when that is false.
    async fn change(&self, node: &str, change: impl Fn(&mut Fired) -> bool) -> Result<bool, GroupError> {
        let key = keys::tick(&self.group, node);
        for _ in 0..ATTEMPTS {
            let entry: Option<Entry> = self.store.get(&key).await?;
            let mut fired = entry.as_ref().and_then(|entry| Fired::read(&entry.value)).unwrap_or_default();
            if !change(&mut fired) {
                return Ok(false);
            }
            let expected = entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            let value = serde_json::to_vec(&fired).map(Bytes::from).unwrap_or_default();
            if self.store.cas(&key, expected, Some(value), Write::default()).await?.is_swapped() {
                return Ok(true);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;

    fn claim(scheduled_ms: i64, replica: Option<&str>) -> Claimed<'_> {
        Claimed { node: "n", scheduled_ms, before_ms: None, now_ms: scheduled_ms.max(2_000), replica }
    }

    async fn ticks() -> (tempfile::TempDir, Ticks) {
        let folder = tempfile::TempDir::new().unwrap();
        let ticks = Ticks::new(test_store::open(&folder).await, "g").unwrap();
        (folder, ticks)
    }

    #[tokio::test]
    async fn of_many_claims_on_a_tick_or_a_start_one_is_granted() {
        let (_folder, ticks) = ticks().await;
        let first = claim(1_000, None);
        let claims = (0..8).map(|_| ticks.claim(&first));
        let granted = futures_granted(claims).await;
        assert_eq!(granted, 1);
        assert!(!ticks.claim(&claim(999, None)).await.unwrap(), "an older tick is not fired late");
        assert!(ticks.claim(&claim(2_000, None)).await.unwrap());
        assert_eq!(ticks.last("n").await.unwrap(), Some(2_000));
        let minute = Duration::from_secs(60);
        let starts = (0..8).map(|_| ticks.claim_start("n", minute));
        assert_eq!(futures_granted(starts).await, 1);
        assert!(!ticks.claim_start("n", minute).await.unwrap());
    }

    #[tokio::test]
    async fn a_tick_whose_replica_is_gone_is_run_by_one_other_until_its_work_has_ended() {
        let (_folder, ticks) = ticks().await;
        let lease = async |id: &str| ticks.store.acquire(&keys::member_lease(id), id, Duration::from_secs(60)).await;
        for id in ["a", "b", "c"] {
            lease(id).await.unwrap();
        }
        assert!(ticks.claim(&claim(1_000, Some("a"))).await.unwrap());
        assert_eq!(ticks.take_over("n", "b", |_| true).await.unwrap(), None, "it lives");
        let held = lease("a").await.unwrap().granted().unwrap();
        ticks.store.release(&held).await.unwrap();
        let (b, c) = tokio::join!(ticks.take_over("n", "b", |_| true), ticks.take_over("n", "c", |_| true));
        let mut taken = [b.unwrap(), c.unwrap()];
        let winner = if taken[0].is_some() { "b" } else { "c" };
        taken.sort_unstable();
        assert_eq!(taken, [None, Some(1_000)]);
        ticks.end("n", 1_000, "a", false).await.unwrap();
        ticks.end("n", 1_000, winner, true).await.unwrap();
        assert_eq!(ticks.take_over("n", "c", |_| true).await.unwrap(), Some(1_000), "it was given up");
        assert_eq!(ticks.take_over("n", "c", |_| true).await.unwrap(), None, "it runs");
        assert_eq!(ticks.take_over("n", "c", |_| false).await.unwrap(), Some(1_000), "it never heard of it");
        ticks.end("n", 1_000, "c", false).await.unwrap();
        assert_eq!(ticks.take_over("n", "b", |_| true).await.unwrap(), None, "it has ended");
        assert_eq!(ticks.last("n").await.unwrap(), Some(1_000));
    }

    #[tokio::test]
    async fn all_ticks_of_a_replica_that_is_gone_are_run_by_others() {
        let (_folder, ticks) = ticks().await;
        ticks.store.acquire(&keys::member_lease("b"), "b", Duration::from_secs(60)).await.unwrap();
        for tick in [1_000, 2_000, 3_000] {
            assert!(ticks.claim(&claim(tick, Some("a"))).await.unwrap());
        }
        ticks.end("n", 2_000, "a", false).await.unwrap();
        let runs = parking_lot::Mutex::new(Vec::new());
        while let Some(tick) = ticks.take_over("n", "b", |tick| runs.lock().contains(&tick)).await.unwrap() {
            runs.lock().push(tick);
        }
        assert_eq!(*runs.lock(), [1_000, 3_000]);
    }

    #[tokio::test]
    async fn the_steady_clock_is_put_forward_by_one() {
        let (_folder, ticks) = ticks().await;
        assert_eq!(ticks.ahead_ms().await.unwrap(), 0);
        let (one, other) = tokio::join!(ticks.put_forward(0, 5), ticks.put_forward(0, 7));
        assert!(one.unwrap() != other.unwrap());
        let known = ticks.ahead_ms().await.unwrap();
        assert!(!ticks.put_forward(0, 9).await.unwrap());
        assert!(ticks.put_forward(known, 9).await.unwrap());
        assert_eq!(ticks.ahead_ms().await.unwrap(), 9);
    }

    async fn futures_granted<F: Future<Output = Result<bool, GroupError>>>(claims: impl Iterator<Item = F>) -> usize {
        let mut granted = 0;
        for claim in claims.collect::<Vec<_>>() {
            granted += usize::from(claim.await.unwrap());
        }
        granted
    }
}
