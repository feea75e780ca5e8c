//! Claims on ticks.

use std::sync::Arc;

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

    /// The last tick of a node that fired in the group.
    pub async fn last(&self, node: &str) -> Result<Option<i64>, GroupError> {
        let entry = self.store.get(&keys::tick(&self.group, node)).await?;
        Ok(entry.and_then(|entry| parse(&entry.value)))
    }
}

fn parse(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
