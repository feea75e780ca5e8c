//! Dispatch by key.

use std::time::Instant;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::key::{Key, Place};
use super::member::{Absence, Member};
use super::shards::{Shards, shard};
use crate::{session::SessionKey, share::Waiting};

/// Dispatch by key within one group.
///
/// A key belongs to the member that rendezvous hashing gives it among those present. Its messages go there in order of
/// arrival, several at a time, but no more than a quarter of the member's window while other keys wait for the member.
/// Another member gets the key only when nothing of it is in flight: after a join, the former owner first finishes what
/// it has. What comes back from a member that went away takes its place by sequence, before anything later of its key.
///
/// Promises: at each moment all that is in flight of a key is with one session; of one key nothing is handed out before
/// an earlier message that waits; no message is lost here; what is kept is bounded by the messages that wait or are in
/// flight. What breaks it: a message that is handed out must be ended by [`Keyed::done`] or [`Keyed::give_back`], exactly
/// once, with the key that it was handed out under.
#[derive(Debug)]
pub struct Keyed {
    pub(super) members: IndexMap<SessionKey, Member, FxBuildHasher>,
    pub(super) shards: Shards,
    pub(super) keys: FxHashMap<u64, Key>,
    waiting: usize,
    bytes: usize,
}

/// What [`Keyed::next_for`] found.
#[derive(Debug)]
pub enum Next {
    /// This message, under this key: it counts as handed out.
    Message(u64, Waiting),
    /// There is one that was not accepted: it keeps its place.
    NotNow,
    /// Nothing waits that the member may take.
    Nothing,
}

impl Keyed {
    /// Without members and messages.
    pub fn new() -> Self {
        Self { members: IndexMap::default(), shards: Shards::new(), keys: FxHashMap::default(), waiting: 0, bytes: 0 }
    }

    /// Messages that wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Bytes of them.
    pub fn waiting_bytes(&self) -> usize {
        self.bytes
    }

    /// Keys of which something waits or is in flight.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// When the oldest that waits arrived.
    pub fn oldest(&self) -> Option<Instant> {
        self.keys.values().filter_map(|key| key.queue.front()).map(|waiting| waiting.since).min()
    }

    /// Adds a member, or changes its name and window. Keys move to it as their holders finish.
    pub fn join(&mut self, session: SessionKey, name: u64, window: usize) {
        match self.members.get_mut(&session) {
            Some(member) => {
                member.window = window.max(1);
                if member.name == name {
                    return;
                }
                member.name = name;
            }
            None => {
                self.members.insert(session, Member::new(name, window));
            }
        }
        self.reassign();
    }

    /// Removes a member. Keys of which it has something in flight stay with it until that is ended.
    pub fn leave(&mut self, session: SessionKey) {
        let Some(member) = self.members.shift_remove(&session) else { return };
        for hash in member.capped {
            if let Some(key) = self.keys.get_mut(&hash) {
                key.place = Place::Nowhere;
            }
            self.list(hash);
        }
        self.reassign();
    }

    /// Whether a member is to have keys. Those that it has something in flight of stay with it.
    pub fn set_absence(&mut self, session: SessionKey, absence: Absence) {
        if let Some(member) = self.members.get_mut(&session)
            && member.absence != absence
        {
            member.absence = absence;
            self.reassign();
        }
    }

    /// Whether a member is given keys.
    pub fn absence(&self, session: SessionKey) -> Option<Absence> {
        self.members.get(&session).map(|member| member.absence)
    }

    /// Whose key it is.
    #[cfg(test)]
    pub(super) fn owner(&self, key: u64) -> Option<SessionKey> {
        self.shards.owner(key)
    }

    /// The member that may be handed a new message of `key` now, past nothing that has to go before it.
    pub fn target(&self, key: u64) -> Option<SessionKey> {
        let owner = self.shards.owner(key)?;
        let Some(known) = self.keys.get(&key) else { return Some(owner) };
        if !known.queue.is_empty() || known.holder.is_some_and(|holder| holder != owner) {
            return None;
        }
        let member = self.members.get(&owner)?;
        let others_wait = !member.ready.is_empty() || !member.capped.is_empty();
        let most = if others_wait { member.quarter() } else { member.most() };
        (known.in_flight < most).then_some(owner)
    }

    /// A message of `key` that did not wait was handed to `session`, which has to acknowledge it.
    pub fn sent(&mut self, key: u64, session: SessionKey) {
        let known = self.keys.entry(key).or_default();
        known.holder = Some(session);
        known.in_flight += 1;
        if let Some(member) = self.members.get_mut(&session) {
            member.in_flight += 1;
        }
    }

    /// Keeps a message. The member that may take it now, if there is one.
    pub fn wait(&mut self, key: u64, waiting: Waiting) -> Option<SessionKey> {
        self.waiting += 1;
        self.bytes += waiting.message.size();
        self.keys.entry(key).or_default().insert(waiting);
        self.list(key)
    }

    /// As [`Self::wait`], for a message that came back because only `session` takes a packet so large.
    pub fn wait_for(&mut self, key: u64, waiting: Waiting, session: SessionKey) {
        let known = self.keys.entry(key).or_default();
        known.only = Some(session);
        self.unlist(key);
        self.wait(key, waiting);
    }

    /// Whether [`Self::next_for`] may have something.
    pub fn has_for(&self, session: SessionKey) -> bool {
        self.members.get(&session).is_some_and(|member| {
            !member.ready.is_empty() || member.capped.iter().any(|key| self.is_usable(member, session, *key))
        })
    }

    /// A capped key goes on when no other is ready, up to what one key may have in any case.
    fn is_usable(&self, member: &Member, session: SessionKey, key: u64) -> bool {
        self.keys
            .get(&key)
            .is_some_and(|key| key.in_flight < member.most() && key.holder.is_none_or(|holder| holder == session))
    }

    /// The next message for `session`, keys in turns, if `accept` takes it; with `tracked` it has to be acknowledged.
    pub fn next_for(
        &mut self,
        session: SessionKey,
        accept: impl Fn(&Waiting) -> bool,
        tracked: impl Fn(&Waiting) -> bool,
    ) -> Next {
        let Some(hash) = self.next_key(session) else { return Next::Nothing };
        let Some(key) = self.keys.get_mut(&hash) else { return Next::Nothing };
        if key.queue.front().is_some_and(|waiting| !accept(waiting)) {
            if key.only.is_some() {
                self.list(hash);
                return Next::NotNow;
            }
            key.place = Place::Ready;
            if self.shards.put_back(hash)
                && let Some(member) = self.members.get_mut(&session)
            {
                member.ready.push_front(shard(hash));
            }
            return Next::NotNow;
        }
        let Some(waiting) = key.queue.pop_front() else { return Next::Nothing };
        // That was for this message: what follows may be smaller.
        key.only = None;
        self.waiting -= 1;
        self.bytes -= waiting.message.size();
        if tracked(&waiting) {
            self.sent(hash, session);
        }
        self.list(hash);
        Next::Message(hash, waiting)
    }

    /// Takes the next key that `session` may have out of its list.
    fn next_key(&mut self, session: SessionKey) -> Option<u64> {
        while let Some(shard) = self.members.get_mut(&session)?.ready.pop_front() {
            let Some((hash, more)) = self.shards.take(shard) else { continue };
            let member = self.members.get_mut(&session)?;
            if more {
                member.ready.push_back(shard);
            }
            let quarter = member.quarter();
            let Some(key) = self.keys.get_mut(&hash) else { continue };
            key.place = Place::Nowhere;
            let held_elsewhere = key.holder.is_some_and(|holder| holder != session);
            if held_elsewhere || key.in_flight >= quarter {
                self.list(hash);
            } else if !key.queue.is_empty() {
                return Some(hash);
            }
        }
        let member = &self.members[&session];
        // Of those that have more than their share already, the one with the least.
        let usable = member.capped.iter().enumerate().filter(|(_, key)| self.is_usable(member, session, **key));
        let (at, _) = usable.min_by_key(|(_, key)| self.keys.get(*key).map_or(0, |key| key.in_flight))?;
        let hash = self.members.get_mut(&session)?.capped.remove(at);
        self.keys.get_mut(&hash)?.place = Place::Nowhere;
        Some(hash)
    }

    /// `session` acknowledged a message that it was handed under `key`. The member that may take more of it now.
    pub fn done(&mut self, key: u64, session: SessionKey) -> Option<SessionKey> {
        self.release(key, session);
        let known = self.keys.get(&key)?;
        if known.is_idle() {
            self.keys.remove(&key);
            return None;
        }
        if known.place == Place::Capped {
            let below = self.members.get(&session).is_none_or(|member| known.in_flight < member.quarter());
            if !below {
                return Some(session);
            }
            self.unlist(key);
        }
        self.list(key)
    }

    /// What `session` held and did not acknowledge waits again, each before anything later of its key. Each comes with the
    /// key that it was handed out under, and with its key of now.
    pub fn give_back(&mut self, session: SessionKey, batch: Vec<(u64, u64, Waiting)>) {
        let keys: Vec<u64> = batch.iter().flat_map(|(held, key, _)| [*held, *key]).collect();
        for (held, key, waiting) in batch {
            self.release(held, session);
            self.waiting += 1;
            self.bytes += waiting.message.size();
            self.keys.entry(key).or_default().insert(waiting);
        }
        for key in keys {
            self.unlist(key);
            self.list(key);
        }
    }

    fn release(&mut self, key: u64, session: SessionKey) {
        let Some(known) = self.keys.get_mut(&key).filter(|known| known.holder == Some(session)) else { return };
        known.in_flight -= 1;
        if known.in_flight == 0 {
            known.holder = None;
        }
        if let Some(member) = self.members.get_mut(&session) {
            member.in_flight = member.in_flight.saturating_sub(1);
        }
    }

    /// Takes out what `is_over` of the first messages of each key.
    pub fn expire(&mut self, is_over: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let mut gone = Vec::new();
        let mut emptied = Vec::new();
        for (hash, key) in &mut self.keys {
            while key.queue.front().is_some_and(&is_over) {
                gone.extend(key.queue.pop_front());
            }
            if key.queue.is_empty() && key.place != Place::Nowhere {
                emptied.push(*hash);
            }
        }
        self.waiting -= gone.len();
        self.bytes -= gone.iter().map(|waiting| waiting.message.size()).sum::<usize>();
        for hash in emptied {
            self.unlist(hash);
            if self.keys.get(&hash).is_some_and(Key::is_idle) {
                self.keys.remove(&hash);
            }
        }
        gone
    }

    /// Takes out all that waits, in order of arrival.
    pub fn drain(&mut self) -> Vec<Waiting> {
        let mut all: Vec<Waiting> = Vec::with_capacity(self.waiting);
        for hash in self.keys.keys().copied().collect::<Vec<_>>() {
            self.unlist(hash);
            if let Some(key) = self.keys.get_mut(&hash) {
                all.extend(std::mem::take(&mut key.queue));
            }
        }
        self.keys.retain(|_, key| !key.is_idle());
        (self.waiting, self.bytes) = (0, 0);
        all.sort_unstable_by_key(|waiting| waiting.seq);
        all
    }

    #[cfg(test)]
    pub(super) fn listed(&self) -> usize {
        self.shards.listed() + self.members.values().map(|member| member.capped.len()).sum::<usize>()
    }
}
