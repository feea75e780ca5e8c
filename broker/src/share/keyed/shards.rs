//! Which member owns which keys, and which keys are ready.

use std::collections::VecDeque;

use flotilla_codec::agreed::mix;
use rustc_hash::FxHashMap;

use crate::session::SessionKey;

/// Keys are owned by the shard, so that a change of membership costs no walk over the keys that wait.
const SHARDS: u16 = 1024;

/// Who owns which keys, and which of them are ready.
#[derive(Debug)]
pub(super) struct Shards {
    owners: Box<[Option<SessionKey>]>,
    /// Keys with something to send whose holder does not stand in the way; shards without any have no entry.
    ready: FxHashMap<u16, VecDeque<u64>>,
}

/// The shard of a key.
pub(super) fn shard(key: u64) -> u16 {
    (key % u64::from(SHARDS)) as u16
}

impl Shards {
    pub(super) fn new() -> Self {
        Self { owners: vec![None; usize::from(SHARDS)].into(), ready: FxHashMap::default() }
    }

    pub(super) fn owner(&self, key: u64) -> Option<SessionKey> {
        self.owners[usize::from(shard(key))]
    }

    /// Rendezvous hashing among `members` (number of the session, hash of its name): a change of membership moves only the
    /// keys of the member that came or went, and a member that comes back has the keys that it had.
    pub(super) fn assign(&mut self, members: &[(SessionKey, u64)]) {
        for (shard, owner) in self.owners.iter_mut().enumerate() {
            let weight = |name: u64| mix(name ^ (shard as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            *owner = members.iter().max_by_key(|(_, name)| weight(*name)).map(|(session, _)| *session);
        }
    }

    /// Lists a key as ready. True when its shard had none before.
    pub(super) fn list(&mut self, key: u64) -> bool {
        let list = self.ready.entry(shard(key)).or_default();
        list.push_back(key);
        list.len() == 1
    }

    /// Takes the first ready key of a shard; whether there are more.
    pub(super) fn take(&mut self, shard: u16) -> Option<(u64, bool)> {
        let list = self.ready.get_mut(&shard)?;
        let key = list.pop_front()?;
        let more = !list.is_empty();
        if !more {
            self.ready.remove(&shard);
        }
        Some((key, more))
    }

    /// Puts a key that was taken back in front. True when its shard had none before.
    pub(super) fn put_back(&mut self, key: u64) -> bool {
        let list = self.ready.entry(shard(key)).or_default();
        list.push_front(key);
        list.len() == 1
    }

    /// Takes a key out of the list; whether its shard has no more.
    pub(super) fn unlist(&mut self, key: u64) -> bool {
        let Some(list) = self.ready.get_mut(&shard(key)) else { return true };
        list.retain(|other| *other != key);
        let last = list.is_empty();
        if last {
            self.ready.remove(&shard(key));
        }
        last
    }

    /// Shards that have ready keys.
    pub(super) fn with_ready(&self) -> impl Iterator<Item = (u16, Option<SessionKey>)> {
        self.ready.keys().map(|shard| (*shard, self.owners[usize::from(*shard)]))
    }

    #[cfg(test)]
    pub(super) fn listed(&self) -> usize {
        self.ready.values().map(VecDeque::len).sum()
    }
}
