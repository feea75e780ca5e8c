//! Share groups: members come and go, messages are handed out and come back.

use std::sync::Arc;

use super::{Router, asked::Asked, timers::Timer};
use crate::{
    config::Strategy,
    message::Message,
    persist::Op,
    session::{Alone, Delivery, SessionKey, Source, Subscription},
    share::{Absence, Group, GroupKey, Membership, Next, Waiting},
    topic::{Filter, Share},
};
use flotilla_codec::{QoS, agreed::hash_text};

impl Router {
    /// Adds a session to the group, which is made if this is its first member.
    pub(super) fn join_group(
        &mut self,
        session: SessionKey,
        share: Share,
        subscription: Subscription,
        asked: &Asked,
    ) -> GroupKey {
        let order = asked.order.clone().filter(|_| self.config.may_ask(&share.name));
        let key = match self.by_share.get(&share) {
            Some(key) => *key,
            None => self.make_group(share),
        };
        let entry = &self.sessions[session];
        let membership = Membership {
            name: entry.identity.member.unwrap_or_else(|| hash_text(&entry.id)),
            window: entry.client.as_ref().map_or(1, |client| client.receive_maximum),
            order,
        };
        let group = &mut self.groups[key];
        group.join(session, subscription, membership);
        self.review_pause(key);
        let group = &mut self.groups[key];
        if let Some(timer) = group.vacancy_timer.take() {
            self.timers.cancel(timer);
        }
        key
    }

    /// A group without members.
    pub(super) fn make_group(&mut self, share: Share) -> GroupKey {
        let strategy = self.config.strategy_for(&share.name);
        let mut group = Group::new(share.clone(), strategy, self.now);
        if let Some(journal) = &mut self.journal {
            group.stored = journal.next_key();
            let (name, filter) = (share.name.clone(), share.filter.clone());
            journal.record(Op::PutGroup { key: group.stored, name, filter });
        }
        let key = self.groups.insert(group);
        self.filters.entry(&share.filter).groups.push(key);
        self.by_share.insert(share, key);
        key
    }

    /// Takes a session out of the group, which is to be dispatched then. A group without members
    /// waits for new ones.
    pub(super) fn leave_group(&mut self, session: SessionKey, share: &Share) -> Option<GroupKey> {
        let key = *self.by_share.get(share)?;
        self.sessions[session].backlogged.retain(|other| *other != key);
        let group = &mut self.groups[key];
        group.leave(session, self.now);
        if group.vacant_since.is_some() {
            self.watch_vacancy(key);
        }
        Some(key)
    }

    /// Sets the one timer that ends a group without members.
    pub(super) fn watch_vacancy(&mut self, key: GroupKey) {
        let linger = std::time::Duration::from_secs(self.config.group_linger.max(1));
        let timer = self.after(linger, Timer::Vacant(key));
        if let Some(old) = self.groups[key].vacancy_timer.replace(timer) {
            self.timers.cancel(old);
        }
    }

    /// Takes a new message for the group: to a member with room, or to wait for one.
    pub(super) fn share(&mut self, key: GroupKey, message: &Arc<Message>) {
        let waiting = self.groups[key].arrive(Arc::clone(message), self.now);
        self.hand_in(key, waiting);
    }

    /// Takes a message that got its place just now.
    pub(super) fn hand_in(&mut self, key: GroupKey, waiting: Waiting) {
        self.record_shared(key, &waiting);
        if self.groups[key].is_keyed() {
            self.share_by_key(key, waiting);
            return;
        }
        let message = &waiting.message;
        let chosen = if self.groups[key].has_before(&waiting) { None } else { self.pick(key, message) };
        match chosen {
            Some(session) => self.send_shared(key, session, 0, waiting),
            None => self.let_wait(key, waiting),
        }
    }

    fn let_wait(&mut self, key: GroupKey, waiting: Waiting) {
        let group = &mut self.groups[key];
        let owner = match group.strategy {
            Strategy::TopicHash => group.owner(&waiting.message.topic),
            _ => None,
        };
        let first = group.backlog.is_empty();
        group.wait(waiting, owner);
        match owner {
            Some(owner) => self.announce(key, owner),
            None if first => self.announce_to_all(key),
            None => {}
        }
    }

    /// Tells every member that there is something for who has room first.
    fn announce_to_all(&mut self, key: GroupKey) {
        for (session, member) in &mut self.groups[key].members {
            if !std::mem::replace(&mut member.announced, true) {
                self.sessions[*session].backlogged.push_back(key);
            }
        }
    }

    pub(super) fn announce(&mut self, key: GroupKey, session: SessionKey) {
        if let Some(member) = self.groups[key].members.get_mut(&session)
            && !std::mem::replace(&mut member.announced, true)
        {
            self.sessions[session].backlogged.push_back(key);
        }
    }

    /// Hands out what waits while members have room.
    pub(super) fn dispatch(&mut self, key: GroupKey) {
        if self.groups[key].waiting() == 0 {
            return;
        }
        self.announce_to_all(key);
        if matches!(self.groups[key].strategy, Strategy::TopicHash | Strategy::Keyed) {
            let members: Vec<_> = self.groups[key].members.keys().copied().collect();
            for session in members {
                self.pump(session);
            }
            return;
        }
        while let Some(front) = self.groups[key].backlog.front().filter(|_| self.groups[key].paused_until.is_none()) {
            // A message that processes died with is left to a member that comes for it, and holds nothing else then.
            if front.is_suspect() {
                let members: Vec<_> = self.groups[key].members.keys().copied().collect();
                members.into_iter().for_each(|session| self.pump(session));
                break;
            }
            let message = Arc::clone(&front.message);
            let Some(session) = self.pick(key, &message) else { break };
            let Some(waiting) = self.groups[key].backlog.pop() else { break };
            self.send_shared(key, session, 0, waiting);
        }
        self.gained_room(key);
    }

    /// The member that gets `message` now.
    fn pick(&mut self, key: GroupKey, message: &Message) -> Option<SessionKey> {
        let sessions = &self.sessions;
        let published = message.qos;
        self.groups[key].pick(&message.topic, |session, member| {
            let qos = published.min(member.subscription.qos);
            sessions.get(session).is_some_and(|session| session.is_free(qos))
        })
    }

    /// Sends the next message of the groups that wait for `session`, in turns. False when none had one.
    pub(super) fn pump_groups(&mut self, session: SessionKey) -> bool {
        while let Some(key) = self.sessions[session].backlogged.front().copied() {
            let group = self.groups.get(key).filter(|group| group.has_for(session));
            let next = group.and_then(|group| group.members.get(&session)).map(|member| member.subscription.qos);
            let Some(granted) = next else {
                self.sessions[session].backlogged.pop_front();
                if let Some(member) = self.groups.get_mut(key).and_then(|group| group.members.get_mut(&session)) {
                    member.announced = false;
                }
                continue;
            };
            if !self.sessions[session].may_send(granted) {
                return false;
            }
            self.sessions[session].backlogged.rotate_left(1);
            let idle = self.sessions[session].window.sent() == 0;
            match self.groups[key].next_for(session, |waiting| idle || !waiting.is_suspect()) {
                Next::Message(order_key, waiting) => {
                    self.sessions[session].alone = Alone::No;
                    self.send_shared(key, session, order_key, waiting);
                    self.gained_room(key);
                    return true;
                }
                Next::NotNow => {
                    self.sessions[session].alone = Alone::Wanted;
                    return false;
                }
                Next::Nothing => {}
            }
        }
        false
    }

    /// Hands a message out, under `order_key` where the group delivers by key.
    pub(super) fn send_shared(&mut self, key: GroupKey, session: SessionKey, order_key: u64, waiting: Waiting) {
        let group = &mut self.groups[key];
        let Some(member) = group.members.get(&session) else { return };
        let subscription = member.subscription;
        let qos = waiting.message.qos.min(subscription.qos);
        let tracked = qos != QoS::AtMostOnce;
        group.sent(session, tracked);
        if !tracked && waiting.message.qos != QoS::AtMostOnce {
            self.record_unshared(key, waiting.seq);
        }
        let source = tracked.then_some(Source { group: key, seq: waiting.seq, since: waiting.since, key: order_key });
        let retain = waiting.retained || (subscription.retain_as_published && waiting.message.retain);
        let suspect = tracked && waiting.is_suspect();
        let delivery = Delivery {
            message: waiting.message,
            qos,
            retain,
            ids: subscription.id.into_iter().collect(),
            source,
            stored: 0,
            blame: self.reconsider(waiting.blame),
        };
        self.send(session, delivery);
        let entry = &mut self.sessions[session];
        if suspect && entry.window.sent() > 0 {
            entry.alone = Alone::Now;
        }
    }

    /// `session` is done with a message of a group.
    pub(super) fn done(&mut self, session: SessionKey, source: Source) {
        if let Some(group) = self.groups.get_mut(source.group) {
            group.acknowledged(session);
            let next = group.done_by_key(source.key, session);
            self.record_unshared(source.group, source.seq);
            if let Some(next) = next {
                self.announce(source.group, next);
                if next != session {
                    self.pump(next);
                }
            }
        }
    }

    /// What `session` held takes its old place in its groups, and goes to others.
    pub(super) fn give_back(&mut self, session: SessionKey, held: Vec<(Source, Delivery)>) {
        for group in self.put_back(session, held) {
            self.dispatch(group);
        }
    }

    /// What `session` held takes its old place in its groups; returns which those are.
    pub(super) fn put_back(&mut self, session: SessionKey, held: Vec<(Source, Delivery)>) -> Vec<GroupKey> {
        self.stats.redelivered += held.len() as u64;
        let death = self.death(session, held.len());
        let mut batches: Vec<(GroupKey, Vec<(u64, Waiting)>)> = Vec::new();
        for (source, delivery) in held {
            let mut blame = delivery.blame;
            if let Some(death) = death {
                blame.get_or_insert_default().add(death);
            }
            // A retained message goes out again as one.
            let retained = delivery.retain;
            let (seq, since, message) = (source.seq, source.since, delivery.message);
            let waiting = (source.key, Waiting { seq, since, message, retained, blame });
            match batches.iter_mut().find(|(key, _)| *key == source.group) {
                Some((_, batch)) => batch.push(waiting),
                None => batches.push((source.group, vec![waiting])),
            }
        }
        let mut keys = Vec::with_capacity(batches.len());
        for (key, batch) in batches {
            self.groups[key].give_back(session, batch);
            keys.push(key);
        }
        keys
    }

    /// The session's connection has been gone for `redispatch_after`.
    pub(super) fn redispatch(&mut self, session: SessionKey) {
        let held = self.sessions[session].window.give_back();
        for pkid in self.sessions[session].window.released() {
            self.record_for(session, |session| Op::PutReleased { session, pkid });
        }
        self.set_away(session, true);
        self.close_outputs(session, held.len());
        self.give_back(session, held);
    }

    /// The session is connected again.
    pub(super) fn rejoin(&mut self, session: SessionKey) {
        self.set_away(session, false);
    }

    fn groups_of(&self, session: SessionKey) -> Vec<GroupKey> {
        let shares = self.sessions[session].subscriptions.keys().filter_map(|filter| match Filter::parse(filter) {
            Some(Filter::Shared(share)) => self.by_share.get(&share).copied(),
            _ => None,
        });
        shares.collect()
    }

    /// Its connection is gone: keys of which it has nothing in flight need not wait until it is back or redispatched.
    pub(super) fn leave_keys(&mut self, session: SessionKey) {
        for key in self.groups_of(session) {
            if self.groups[key].is_keyed() {
                self.groups[key].set_absence(session, Absence::Away);
                self.dispatch(key);
            }
        }
    }

    fn set_away(&mut self, session: SessionKey, away: bool) {
        for key in self.groups_of(session) {
            self.groups[key].set_away(session, away);
            self.review_pause(key);
            if self.groups[key].waiting() > 0 {
                self.dispatch(key);
            }
        }
    }

    /// The group has had no members for the linger time: what waits in it is dropped and counted.
    pub(super) fn drop_vacant(&mut self, key: GroupKey) {
        let Some(group) = self.groups.get_mut(key).filter(|group| group.vacant_since.is_some()) else { return };
        group.vacancy_timer = None;
        // A session that left still has to answer for what it was sent.
        if group.held > 0 {
            self.watch_vacancy(key);
            return;
        }
        let group = self.groups.remove(key);
        self.stats.dropped_vacant += group.waiting() as u64;
        self.record(|_| Op::DropGroup { key: group.stored });
        self.by_share.remove(&group.share);
        if let Some(subscribers) = self.filters.get_mut(&group.share.filter) {
            subscribers.groups.retain(|other| *other != key);
            if subscribers.is_empty() {
                self.filters.remove(&group.share.filter);
            }
        }
    }

    /// Whether the group may not take another message.
    pub(super) fn is_full(&self, key: GroupKey) -> bool {
        let group = &self.groups[key];
        group.waiting() >= self.config.group_queue
            || group.waiting_bytes() >= self.config.group_queue_bytes
            || self.is_laden()
    }

    /// Whether all messages together take the memory that they may.
    pub(super) fn is_laden(&self) -> bool {
        self.held.bytes() >= self.config.max_held_bytes
    }

    /// A message that `session` takes no packet large enough for goes to a member that does, for which it waits if need be.
    /// Gives it back when there is none.
    pub(super) fn pass_on(&mut self, session: SessionKey, delivery: Delivery, size: usize) -> Option<Delivery> {
        let Some(Source { group: key, seq, since, key: order_key }) = delivery.source else { return Some(delivery) };
        let Some(group) = self.groups.get_mut(key) else { return Some(delivery) };
        let takes = |other: &SessionKey| {
            let client = self.sessions.get(*other).and_then(|session| session.client.as_ref());
            *other != session && client.is_some_and(|client| client.max_packet >= size)
        };
        let Some(other) = group.members.keys().copied().find(takes) else { return Some(delivery) };
        group.acknowledged(session);
        let (message, retained, blame) = (delivery.message, delivery.retain, delivery.blame);
        let waiting = Waiting { seq, since, message, retained, blame };
        if group.is_keyed() {
            group.done_by_key(order_key, session);
            group.wait_by_key_for(order_key, waiting, other);
        } else {
            group.wait_for(other, waiting);
        }
        self.announce(key, other);
        self.pump(other);
        None
    }

    fn gained_room(&mut self, key: GroupKey) {
        if self.refused_any && !self.is_full(key) {
            self.refused_any = false;
            self.space.notify_waiters();
        }
    }
}
