//! Claims on ticks.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use flotilla_store::{Cas, Expect, Store, Write};

use crate::error::GroupError;
use crate::keys;

/// Claims on the ticks of a group's timers. There is no leader: replicas compete with one compare-and-swap on the time
/// of the last tick that fired.
#[derive(Clone)]
pub struct Ticks {
    store: Arc<dyn Store>,
    group: String,
}

impl Ticks {
    /// The ticks of a group.
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Ticks, GroupError> {
        keys::check("group name", group)?;
        Ok(Ticks { store, group: group.to_owned() })
    }

    /// True when the caller is to fire this tick of a node: it is later than the last that fired, and nobody else
    /// claimed it. `scheduled_ms` is milliseconds since the epoch, the same in every replica.
    pub async fn claim(&self, node: &str, scheduled_ms: i64) -> Result<bool, GroupError> {
        let key = keys::tick(&self.group, node);
        let mine = Bytes::from(scheduled_ms.to_string());
        let mut expected = Expect::Absent;
        loop {
            let swapped = self.store.cas(&key, expected, Some(mine.clone()), Write::default()).await?;
            let Cas::Conflict(current) = swapped else { return Ok(true) };
            expected = match current {
                None => Expect::Absent,
                Some(entry) if parse(&entry.value).is_some_and(|last| last >= scheduled_ms) => return Ok(false),
                Some(entry) => Expect::Version(entry.version),
            };
        }
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

    /// The last tick of a node that fired in the group.
    pub async fn last(&self, node: &str) -> Result<Option<i64>, GroupError> {
        let entry = self.store.get(&keys::tick(&self.group, node)).await?;
        Ok(entry.and_then(|entry| parse(&entry.value)))
    }
}

fn parse(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_many_claims_on_a_tick_or_a_start_one_is_granted() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("s.db").display());
        let ticks = Ticks::new(flotilla_store::open(&url).await.unwrap(), "g").unwrap();
        let claims = (0..8).map(|_| ticks.claim("n", 1_000));
        let granted = futures_granted(claims).await;
        assert_eq!(granted, 1);
        assert!(!ticks.claim("n", 999).await.unwrap(), "an older tick is not fired late");
        assert!(ticks.claim("n", 2_000).await.unwrap());
        assert_eq!(ticks.last("n").await.unwrap(), Some(2_000));
        let minute = Duration::from_secs(60);
        let starts = (0..8).map(|_| ticks.claim_start("n", minute));
        assert_eq!(futures_granted(starts).await, 1);
        assert!(!ticks.claim_start("n", minute).await.unwrap());
    }

    async fn futures_granted<F: Future<Output = Result<bool, GroupError>>>(claims: impl Iterator<Item = F>) -> usize {
        let mut granted = 0;
        for claim in claims.collect::<Vec<_>>() {
            granted += usize::from(claim.await.unwrap());
        }
        granted
    }
}
