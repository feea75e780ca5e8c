//! Delivery by key within a share group.

use flotilla_codec::agreed::OrderKey;

use super::{
    Group, Waiting,
    keyed::{Absence, Keyed},
};
use crate::{config::Strategy, message::Message, session::SessionKey};

/// What the retained messages were given for is remembered this often.
const BEGUN: usize = 64;

/// Delivery by key within a group.
impl Group {
    /// By key while a member asks for it, as configured otherwise. `asked` is the key that the newest member wants.
    pub(super) fn settle_order(&mut self, asked: Option<OrderKey>) {
        let wanted = if self.members.values().any(|member| member.asks) { Strategy::Keyed } else { self.configured };
        let rekeyed = asked.is_some_and(|order| std::mem::replace(&mut self.order, order.clone()) != order);
        if wanted == self.strategy && !(rekeyed && self.keyed.is_some()) {
            return;
        }
        let mut waiting = self.keyed.as_mut().map_or_else(Vec::new, |keyed| keyed.drain());
        waiting.extend(self.backlog.drain());
        for index in 0..self.members.len() {
            let pending = std::mem::take(&mut self.members[index].pending);
            self.take_pending(pending);
        }
        waiting.extend(self.backlog.drain());
        waiting.sort_unstable_by_key(|waiting| waiting.seq);
        if wanted != self.strategy {
            self.strategy = wanted;
            // What is in flight now ends without its key: it was handed out without.
            self.keyed = (wanted == Strategy::Keyed).then(|| Box::new(Keyed::new()));
        }
        if self.keyed.is_some() {
            for waiting in waiting {
                self.wait_by_key(waiting);
            }
        } else {
            self.backlog.give_back(waiting);
            self.reassign();
        }
    }

    /// Whether it delivers by key.
    pub fn is_keyed(&self) -> bool {
        self.keyed.is_some()
    }

    /// Keys of which something waits or is in flight.
    pub fn keys(&self) -> usize {
        self.keyed.as_ref().map_or(0, |keyed| keyed.keys())
    }

    /// The key of a message.
    pub fn key_of(&self, message: &Message) -> u64 {
        self.order.hash(message.topic())
    }

    /// The member that may be handed a new message of `key` now.
    pub fn target(&self, key: u64) -> Option<SessionKey> {
        if self.paused_until.is_some() {
            return None;
        }
        self.keyed.as_ref()?.target(key)
    }

    /// A message that did not wait was handed out under `key`.
    pub fn sent_by_key(&mut self, key: u64, session: SessionKey) {
        if let Some(keyed) = &mut self.keyed {
            keyed.sent(key, session);
        }
    }

    /// Keeps a message until its member has room; that member, if it may take it now.
    pub fn wait_by_key(&mut self, waiting: Waiting) -> Option<SessionKey> {
        let key = self.key_of(&waiting.message);
        self.keyed.as_mut()?.wait(key, waiting)
    }

    /// Keeps a message that only `session` may take.
    pub fn wait_by_key_for(&mut self, key: u64, waiting: Waiting, session: SessionKey) {
        if let Some(keyed) = &mut self.keyed {
            keyed.wait_for(key, waiting, session);
        }
    }

    /// `session` is done with a message of `key`. The member that may take more of the key now.
    pub fn done_by_key(&mut self, key: u64, session: SessionKey) -> Option<SessionKey> {
        self.keyed.as_mut()?.done(key, session)
    }

    /// A key that was handed out before the order changed is that of the order now.
    pub(super) fn give_back_by_key(&mut self, session: SessionKey, batch: Vec<(u64, Waiting)>) {
        let batch = batch.into_iter().map(|(held, waiting)| (held, self.key_of(&waiting.message), waiting)).collect();
        if let Some(keyed) = &mut self.keyed {
            keyed.give_back(session, batch);
        }
    }

    /// Whether a member has keys, where the group delivers by key.
    pub fn absence(&self, session: SessionKey) -> Option<Absence> {
        self.keyed.as_ref()?.absence(session)
    }

    /// Gives a member no more keys, or some again.
    pub fn set_absence(&mut self, session: SessionKey, absence: Absence) {
        if let Some(keyed) = &mut self.keyed {
            keyed.set_absence(session, absence);
        }
    }

    /// Whether the retained messages are to be put in for `token`: once for each, while the group has members.
    pub fn begin(&mut self, token: &str) -> bool {
        if self.begun.iter().any(|known| **known == *token) {
            return false;
        }
        if self.begun.len() == BEGUN {
            self.begun.pop_front();
        }
        self.begun.push_back(token.into());
        true
    }
}
