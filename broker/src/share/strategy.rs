//! Picks the member for a message.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::Group;
use crate::{config::Strategy, session::SessionKey};

impl Group {
    /// The member for a message on `topic` among those that `free` accepts.
    pub fn pick(&mut self, topic: &[u8], free: impl Fn(SessionKey, &super::Member) -> bool) -> Option<SessionKey> {
        match self.strategy {
            Strategy::LeastInFlight => self.least(free),
            Strategy::RoundRobin => self.next(free),
            Strategy::Random => {
                self.cursor = rand::random_range(0..self.members.len().max(1));
                self.next(free)
            }
            Strategy::Sticky => self.sticky(free),
            // It is picked by [`Group::target`].
            Strategy::Keyed => None,
            Strategy::TopicHash => {
                let owner = self.owner(topic)?;
                self.members.get(&owner).is_some_and(|member| free(owner, member)).then_some(owner)
            }
        }
    }

    /// `topic-hash`: whose topic it is. Rendezvous hashing, so that a change of membership moves
    /// only the topics of who came or went.
    pub fn owner(&self, topic: &[u8]) -> Option<SessionKey> {
        let weight = |session: SessionKey| {
            let mut hasher = FxHasher::default();
            topic.hash(&mut hasher);
            session.hash(&mut hasher);
            // FxHash leaves the low bits poor: mix them.
            let hash = hasher.finish();
            (hash ^ (hash >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        };
        let present = self.members.iter().filter(|(_, member)| !member.away);
        present.map(|(session, _)| *session).max_by_key(|session| weight(*session))
    }

    /// Fewest in flight; equals take turns.
    fn least(&mut self, free: impl Fn(SessionKey, &super::Member) -> bool) -> Option<SessionKey> {
        let count = self.members.len();
        let mut best: Option<(usize, usize)> = None;
        for step in 0..count {
            let index = (self.cursor + step) % count;
            let (session, member) = self.members.get_index(index)?;
            let better = best.is_none_or(|(_, load)| member.in_flight < load);
            if better && free(*session, member) {
                best = Some((index, member.in_flight));
                if member.in_flight == 0 {
                    break;
                }
            }
        }
        self.take_turn(best.map(|(index, _)| index))
    }

    fn next(&mut self, free: impl Fn(SessionKey, &super::Member) -> bool) -> Option<SessionKey> {
        let count = self.members.len();
        let index = (0..count)
            .map(|step| (self.cursor + step) % count)
            .find(|index| self.members.get_index(*index).is_some_and(|(session, member)| free(*session, member)));
        self.take_turn(index)
    }

    fn sticky(&mut self, free: impl Fn(SessionKey, &super::Member) -> bool) -> Option<SessionKey> {
        let stays =
            self.favourite.filter(|session| self.members.get(session).is_some_and(|member| free(*session, member)));
        let chosen = stays.or_else(|| self.next(free));
        self.favourite = chosen.or(self.favourite);
        chosen
    }

    fn take_turn(&mut self, index: Option<usize>) -> Option<SessionKey> {
        let index = index?;
        self.cursor = index + 1;
        self.members.get_index(index).map(|(session, _)| *session)
    }
}
