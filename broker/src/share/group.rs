//! One share group.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use flotilla_codec::{QoS, agreed::OrderKey};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::{
    Backlog, Member, Membership, Waiting,
    keyed::{Absence, Keyed, Next},
};
use crate::{
    config::Strategy,
    keys::{SessionKey, TimerKey},
    message::Message,
    session::Subscription,
    topic::Share,
};

/// A share group: one queue for (name, filter), whatever else has the same name.
///
/// Each message goes to one member, at most as many at once as that member's window takes; what no member has room for waits
/// in the backlog, in the order of arrival. What a member had not acknowledged when its session ends, or when it stays away for
/// longer than the redispatch time, comes back to its place and goes to another: at least once. By key, messages of one key go
/// to one member at a time, in order. The group outlives its members for a while and keeps what comes for it; with the bound on
/// its backlog reached, publishers wait or are refused as configured. A member that reads and never acknowledges holds its
/// window's worth of messages until its connection ends.
#[derive(Debug)]
pub struct Group {
    /// Name and filter.
    pub share: Share,
    /// Its number in the file; 0 when it is not stored.
    pub stored: u64,
    /// How it picks a member now.
    pub strategy: Strategy,
    /// How it does while no member asks for delivery by key.
    pub(super) configured: Strategy,
    /// By key, while the strategy is that.
    pub(super) keyed: Option<Box<Keyed>>,
    /// What the key is.
    pub(super) order: OrderKey,
    /// After a restart: nothing is handed out before this, unless its members are back earlier.
    pub paused_until: Option<Instant>,
    /// How many it had before the restart.
    pub known_members: usize,
    /// What the group was given the retained messages for.
    pub(super) begun: VecDeque<Box<str>>,
    /// Who is in, in order of joining.
    pub members: IndexMap<SessionKey, Member, FxBuildHasher>,
    /// What no member has been sent.
    pub backlog: Backlog,
    /// Sent to a session (a member, or one that left) and not acknowledged.
    pub held: usize,
    /// Messages that came back from members that went away.
    pub redelivered: u64,
    /// When the last member left.
    pub vacant_since: Option<Instant>,
    /// The timer that ends it while it has no members.
    pub vacancy_timer: Option<TimerKey>,
    /// Messages and bytes held by members' `pending` queues.
    pending: (usize, usize),
    next_seq: u64,
    pub(super) cursor: usize,
    pub(super) favourite: Option<SessionKey>,
}

impl Group {
    /// A group that nobody has joined.
    pub fn new(share: Share, strategy: Strategy, now: Instant) -> Self {
        Self {
            share,
            stored: 0,
            strategy,
            configured: strategy,
            keyed: (strategy == Strategy::Keyed).then(|| Box::new(Keyed::new())),
            order: OrderKey::default(),
            paused_until: None,
            known_members: 0,
            begun: VecDeque::new(),
            members: IndexMap::default(),
            backlog: Backlog::default(),
            held: 0,
            redelivered: 0,
            vacant_since: Some(now),
            vacancy_timer: None,
            pending: (0, 0),
            next_seq: 0,
            cursor: 0,
            favourite: None,
        }
    }

    /// Messages that wait.
    pub fn waiting(&self) -> usize {
        self.backlog.len() + self.pending.0 + self.keyed.as_ref().map_or(0, |keyed| keyed.waiting())
    }

    /// Bytes that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.backlog.bytes() + self.pending.1 + self.keyed.as_ref().map_or(0, |keyed| keyed.waiting_bytes())
    }

    /// When the oldest that waits arrived.
    pub fn oldest(&self) -> Option<Instant> {
        let own = self.members.values().filter_map(|member| member.pending.front());
        let by_key = self.keyed.as_ref().and_then(|keyed| keyed.oldest());
        own.chain(self.backlog.front()).map(|waiting| waiting.since).chain(by_key).min()
    }

    /// Gives a new message its place.
    pub fn arrive(&mut self, message: Arc<Message>, now: Instant) -> Waiting {
        self.next_seq += 1;
        Waiting { seq: self.next_seq, since: now, message, retained: false, blame: None }
    }

    /// Puts back a message that had arrived before a restart; in order of arrival.
    pub fn restore(&mut self, waiting: Waiting) {
        self.next_seq = self.next_seq.max(waiting.seq);
        if self.keyed.is_some() {
            self.wait_by_key(waiting);
        } else {
            self.backlog.push(waiting);
        }
    }

    /// Adds a member, or changes its options.
    pub fn join(&mut self, session: SessionKey, subscription: Subscription, membership: Membership) {
        self.vacant_since = None;
        let asks = membership.order.is_some();
        let new = !self.members.contains_key(&session);
        let member = self.members.entry(session).or_insert_with(|| Member::new(subscription));
        (member.subscription, member.asks) = (subscription, asks);
        self.settle_order(membership.order);
        if let Some(keyed) = &mut self.keyed {
            keyed.join(session, membership.name, membership.window);
        }
        if new {
            self.reassign();
        }
    }

    /// Removes a member. What it was sent stays its own until it acknowledges or goes away.
    pub fn leave(&mut self, session: SessionKey, now: Instant) {
        let Some(member) = self.members.shift_remove(&session) else { return };
        self.take_pending(member.pending);
        if let Some(keyed) = &mut self.keyed {
            keyed.leave(session);
        }
        if self.favourite == Some(session) {
            self.favourite = None;
        }
        if self.members.is_empty() {
            self.vacant_since = Some(now);
            // Who comes next begins the group anew.
            self.begun.clear();
        } else {
            self.settle_order(None);
        }
        self.reassign();
    }

    /// Keeps a message until a member has room; with `owner`, for that member.
    pub fn wait(&mut self, waiting: Waiting, owner: Option<SessionKey>) {
        match owner.and_then(|owner| self.members.get_mut(&owner)) {
            Some(member) => {
                self.pending.0 += 1;
                self.pending.1 += waiting.message.size();
                member.pending.push(waiting);
            }
            None => self.backlog.push(waiting),
        }
    }

    /// Keeps a message that only `session` may take, among what it has waiting already.
    pub fn wait_for(&mut self, session: SessionKey, waiting: Waiting) {
        let Some(member) = self.members.get_mut(&session) else { return self.backlog.give_back(vec![waiting]) };
        self.pending.0 += 1;
        self.pending.1 += waiting.message.size();
        member.pending.give_back(vec![waiting]);
    }

    /// Not with `keyed`: whether something waits that must go before `waiting`: with `topic-hash` only what the same member is to get.
    pub fn has_before(&self, waiting: &Waiting) -> bool {
        if self.paused_until.is_some() {
            return true;
        }
        if self.waiting() == 0 {
            return false;
        }
        let owner = match self.strategy {
            Strategy::TopicHash => self.owner(&waiting.message.topic),
            _ => None,
        };
        match owner.and_then(|owner| self.members.get(&owner)) {
            Some(member) => !member.pending.is_empty(),
            None => !self.backlog.is_empty(),
        }
    }

    /// The next message for `session` that it may take, if `accept` does, and its key: it counts as handed out.
    pub fn next_for(&mut self, session: SessionKey, accept: impl Fn(&Waiting) -> bool) -> Next {
        let Some(member) = self.members.get_mut(&session) else { return Next::Nothing };
        if self.paused_until.is_some() {
            return Next::Nothing;
        }
        if let Some(keyed) = &mut self.keyed {
            let granted = member.subscription.qos;
            let tracked = |waiting: &Waiting| waiting.message.qos.min(granted) != QoS::AtMostOnce;
            return keyed.next_for(session, accept, tracked);
        }
        let own = !member.pending.is_empty();
        let front = if own { member.pending.front() } else { self.backlog.front() };
        match front {
            None => return Next::Nothing,
            Some(front) if !accept(front) => return Next::NotNow,
            Some(_) => {}
        }
        if own && let Some(waiting) = member.pending.pop() {
            self.pending.0 -= 1;
            self.pending.1 -= waiting.message.size();
            return Next::Message(0, waiting);
        }
        self.backlog.pop().map_or(Next::Nothing, |waiting| Next::Message(0, waiting))
    }

    /// Whether [`Self::next_for`] has something.
    pub fn has_for(&self, session: SessionKey) -> bool {
        if self.paused_until.is_some() {
            return false;
        }
        match &self.keyed {
            Some(keyed) => keyed.has_for(session),
            None => {
                let member = self.members.get(&session);
                member.is_some_and(|member| !member.pending.is_empty() || !self.backlog.is_empty())
            }
        }
    }

    /// A message was sent to `session`, which has to acknowledge it when it is `tracked`.
    pub fn sent(&mut self, session: SessionKey, tracked: bool) {
        if let Some(member) = self.members.get_mut(&session) {
            member.sent += 1;
            member.in_flight += usize::from(tracked);
        }
        self.held += usize::from(tracked);
    }

    /// `session` acknowledged a message, or it is no longer to be waited for.
    pub fn acknowledged(&mut self, session: SessionKey) {
        self.held = self.held.saturating_sub(1);
        if let Some(member) = self.members.get_mut(&session) {
            member.in_flight = member.in_flight.saturating_sub(1);
        }
    }

    /// What `session` held and did not acknowledge takes its old place, first in line; each with the key that it was handed
    /// out under.
    pub fn give_back(&mut self, session: SessionKey, batch: Vec<(u64, Waiting)>) {
        self.redelivered += batch.len() as u64;
        for _ in &batch {
            self.acknowledged(session);
        }
        if self.keyed.is_some() {
            self.give_back_by_key(session, batch);
            return;
        }
        self.backlog.give_back(batch.into_iter().map(|(_, waiting)| waiting).collect());
        self.reassign();
    }

    /// The connection of a member is gone for long, or back.
    pub fn set_away(&mut self, session: SessionKey, away: bool) {
        let absence = if away { Absence::Away } else { Absence::Present };
        self.set_absence(session, absence);
        if let Some(member) = self.members.get_mut(&session)
            && member.away != away
        {
            member.away = away;
            self.reassign();
        }
    }

    /// Takes out of the front what `is_over`.
    pub fn expire(&mut self, is_over: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let mut gone = self.keyed.as_mut().map_or_else(Vec::new, |keyed| keyed.expire(&is_over));
        while self.backlog.front().is_some_and(&is_over) {
            gone.extend(self.backlog.pop());
        }
        for member in self.members.values_mut() {
            while member.pending.front().is_some_and(&is_over)
                && let Some(old) = member.pending.pop()
            {
                self.pending.0 -= 1;
                self.pending.1 -= old.message.size();
                gone.push(old);
            }
        }
        gone
    }

    pub(super) fn take_pending(&mut self, mut pending: Backlog) {
        self.pending.0 -= pending.len();
        self.pending.1 -= pending.bytes();
        self.backlog.give_back(pending.drain());
    }

    /// `topic-hash` only: who has which topic changed, so everything that waits is handed out anew.
    pub fn reassign(&mut self) {
        if self.strategy != Strategy::TopicHash {
            return;
        }
        for index in 0..self.members.len() {
            let pending = std::mem::take(&mut self.members[index].pending);
            self.take_pending(pending);
        }
        for waiting in self.backlog.drain() {
            let owner = self.owner(&waiting.message.topic);
            self.wait(waiting, owner);
        }
    }
}
