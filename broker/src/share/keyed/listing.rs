//! Where the keys are listed that have something waiting: with the member that may take them.

use super::key::Place;
use super::keyed::Keyed;
use super::member::Absence;
use super::shards::shard;
use crate::session::SessionKey;

impl Keyed {
    /// Lists a key that has something waiting and is listed nowhere, where it may be served. The member that may take it
    /// now; none when its holder has to finish first, or nobody is there.
    pub(super) fn list(&mut self, hash: u64) -> Option<SessionKey> {
        let owner = self.shards.owner(hash);
        let key = self.keys.get_mut(&hash)?;
        if key.is_idle() {
            self.keys.remove(&hash);
            return None;
        }
        let only = key.only.filter(|only| self.members.contains_key(only));
        let next = only.or(owner);
        if key.queue.is_empty() || key.holder.is_some_and(|holder| Some(holder) != next) {
            return None;
        }
        if key.place != Place::Nowhere {
            return next;
        }
        let member = next.and_then(|next| self.members.get_mut(&next));
        match member {
            Some(member) if only.is_some() || key.in_flight >= member.quarter() => {
                key.place = Place::Capped;
                member.capped.push(hash);
            }
            member => {
                key.place = Place::Ready;
                if self.shards.list(hash)
                    && let Some(member) = member
                {
                    member.ready.push_back(shard(hash));
                }
            }
        }
        next
    }

    /// Takes a key out of the list that it is in.
    pub(super) fn unlist(&mut self, hash: u64) {
        let Some(key) = self.keys.get_mut(&hash) else { return };
        match std::mem::take(&mut key.place) {
            Place::Nowhere => {}
            Place::Ready => {
                let owner = self.shards.owner(hash);
                if self.shards.unlist(hash)
                    && let Some(member) = owner.and_then(|owner| self.members.get_mut(&owner))
                {
                    member.ready.retain(|other| *other != shard(hash));
                }
            }
            Place::Capped => {
                for member in self.members.values_mut() {
                    member.capped.retain(|other| *other != hash);
                }
            }
        }
    }

    /// Who is there changed. Costs the number of shards, whatever waits.
    pub(super) fn reassign(&mut self) {
        let with = |absent: fn(Absence) -> bool| -> Vec<(SessionKey, u64)> {
            let members = self.members.iter().filter(|(_, member)| !absent(member.absence));
            members.map(|(session, member)| (*session, member.name)).collect()
        };
        let mut present = with(|absence| absence != Absence::Present);
        if present.is_empty() {
            // A member that is slow is better than none.
            present = with(|absence| absence == Absence::Away);
        }
        self.shards.assign(&present);
        let capped: Vec<u64> =
            self.members.values_mut().flat_map(|member| std::mem::take(&mut member.capped)).collect();
        for hash in capped {
            if let Some(key) = self.keys.get_mut(&hash) {
                key.place = Place::Nowhere;
            }
            self.list(hash);
        }
        for member in self.members.values_mut() {
            member.ready.clear();
        }
        for (shard, owner) in self.shards.with_ready() {
            if let Some(member) = owner.and_then(|owner| self.members.get_mut(&owner)) {
                member.ready.push_back(shard);
            }
        }
    }
}
