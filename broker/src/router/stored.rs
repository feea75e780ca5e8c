//! What the router has stored, and how it is restored.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use rustc_hash::FxHashMap;

use super::{Router, asked::Asked, sys::is_own, timers::Timer};
use crate::{
    message::Message,
    persist::{Journal, Loaded, Op, Reply, ReplyKind, StoredSession},
    session::{Client, Delivery, Flight, Session, SessionKey},
    share::{GroupKey, Waiting},
    topic::Filter,
};
use flotilla_codec::{AckKind, QoS, Reason, Why, ack, suback, unsuback};

/// What the router does for persistence. Without a journal all of it does nothing.
impl Router {
    /// From now on changes are recorded.
    pub fn persist(&mut self, journal: Journal) {
        self.journal = Some(journal);
    }

    /// Whether the disk does not keep up: publishers have to wait.
    pub(super) fn is_disk_behind(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::is_behind)
    }

    /// Why nothing is written and acknowledged now, if that is so.
    pub fn disk_trouble(&self) -> Option<String> {
        self.journal.as_ref().and_then(Journal::trouble)
    }

    pub(super) fn record(&mut self, op: impl FnOnce(&mut Journal) -> Op) {
        if let Some(journal) = &mut self.journal {
            let op = op(journal);
            journal.record(op);
        }
    }

    /// A session is connected, or its connection ended. One that ends with its connection is not stored.
    pub(super) fn record_session(&mut self, session: SessionKey) {
        let Some(journal) = &mut self.journal else { return };
        let entry = &mut self.sessions[session];
        if entry.stored == 0 && entry.expiry == 0 {
            return;
        }
        if entry.stored == 0 {
            entry.stored = journal.next_key();
        }
        let away_since = entry.away_since.map(|at| journal.clock().to_millis(at));
        journal.record(Op::PutSession {
            key: entry.stored,
            id: Arc::clone(&entry.id),
            expiry: entry.expiry,
            away_since,
            user: entry.user.clone(),
        });
    }

    /// With the number of the session in the file, if it is stored there.
    pub(super) fn record_for(&mut self, session: SessionKey, op: impl FnOnce(u64) -> Op) {
        if self.journal.is_none() {
            return;
        }
        let stored = self.sessions.get(session).map_or(0, |session| session.stored);
        if stored != 0 {
            self.record(|_| op(stored));
        }
    }

    /// A message for a stored session that is to be acknowledged.
    pub(super) fn record_delivery(&mut self, session: SessionKey, delivery: &mut Delivery) {
        let Some(journal) = &mut self.journal else { return };
        let stored = self.sessions[session].stored;
        if stored == 0 || delivery.qos == QoS::AtMostOnce || delivery.source.is_some() {
            return;
        }
        delivery.stored = journal.next_seq();
        journal.record(Op::PutQueued {
            session: stored,
            seq: delivery.stored,
            qos: delivery.qos,
            retain: delivery.retain,
            ids: delivery.ids.clone(),
            message: Arc::clone(&delivery.message),
        });
    }

    /// A message that arrived in a share group; QoS 0 is not stored.
    pub(super) fn record_shared(&mut self, group: GroupKey, waiting: &Waiting) {
        let Some(journal) = &mut self.journal else { return };
        if waiting.message.qos != QoS::AtMostOnce {
            journal.record(Op::PutShared {
                group: self.groups[group].stored,
                seq: waiting.seq,
                since: journal.clock().to_millis(waiting.since),
                message: Arc::clone(&waiting.message),
            });
        }
    }

    /// A message of a share group is done with.
    pub(super) fn record_unshared(&mut self, group: GroupKey, seq: u64) {
        if self.journal.is_some() {
            let group = self.groups[group].stored;
            self.record(|_| Op::DropShared { group, seq });
        }
    }

    /// Answers, once what the answer promises is on disk if there is one.
    pub(super) fn promise(&mut self, session: SessionKey, kind: ReplyKind) {
        let Some(entry) = self.sessions.get(session) else { return };
        let Some(journal) = &mut self.journal else { return self.tell(session, &kind) };
        let size = journal.reply(session, entry.epoch, kind);
        if let Some(client) = &entry.client {
            client.link.owe(size);
        }
    }

    /// The writer committed what these answers waited for.
    pub fn committed(&mut self, replies: Vec<Reply>) {
        self.begin();
        for reply in replies {
            if self.is_current(reply.session, reply.epoch) {
                if let Some(client) = &self.sessions[reply.session].client {
                    client.link.pay(reply.size);
                }
                self.tell(reply.session, &reply.kind);
            }
        }
        if self.refused_any && !self.is_disk_behind() {
            self.refused_any = false;
            self.space.notify_waiters();
        }
        self.flush();
    }

    fn tell(&mut self, session: SessionKey, kind: &ReplyKind) {
        if let ReplyKind::Publish(pkid, size) = kind {
            return self.send_numbered(session, *pkid, *size);
        }
        self.reply(session, |out, client| encode(out, client, kind, Reason::Success, ""));
    }

    /// Acknowledges what was stored first.
    pub(super) fn promise_ack(&mut self, session: SessionKey, kind: AckKind, pkid: u16, reason: Reason) {
        self.promise(session, ReplyKind::Ack(kind, pkid, reason));
    }

    /// Takes in what was stored. Nobody is connected yet; every message that was with someone waits again.
    pub fn restore(&mut self, mut loaded: Loaded) {
        self.begin();
        self.share_bodies(&mut loaded);
        for message in loaded.retained {
            // What expired meanwhile, too: it is dropped, from the file as well, once changes are recorded.
            self.keep_retained(&message);
        }
        for (stored, share, messages) in loaded.groups {
            let group = self.make_group(share);
            self.groups[group].stored = stored;
            for waiting in messages {
                self.groups[group].restore(waiting);
            }
        }
        for session in loaded.sessions {
            self.restore_session(session);
        }
        let groups: Vec<GroupKey> = self.groups.iter().map(|(key, _)| key).collect();
        for group in groups {
            let entry = &mut self.groups[group];
            entry.known_members = entry.members.len();
            if entry.waiting() > 0 {
                let wait = Duration::from_millis(self.config.redispatch_after_ms);
                entry.paused_until = Some(self.now + wait);
                self.after(wait, Timer::Resume(group));
            }
            if self.groups[group].vacant_since.is_some() {
                self.watch_vacancy(group);
            } else {
                self.dispatch(group);
            }
        }
    }

    /// A message that went to many is stored for each of them, and held once.
    fn share_bodies(&self, loaded: &mut Loaded) {
        let mut known = FxHashMap::default();
        for message in loaded.messages_mut() {
            let content = (message.topic.clone(), message.payload.clone(), message.forward.clone());
            let same =
                known.entry((content, message.qos as u8, message.retain, message.expires)).or_insert_with(|| {
                    // Nobody else has it yet.
                    if let Some(message) = Arc::get_mut(message) {
                        message.weigh(&self.held);
                    }
                    Arc::clone(message)
                });
            *message = Arc::clone(same);
        }
    }

    fn restore_session(&mut self, stored: StoredSession) {
        let id: Arc<str> = stored.id.into();
        let mut session = Session::new(Arc::clone(&id), self.now);
        self.epochs += 1;
        session.epoch = self.epochs;
        session.stored = stored.key;
        session.user = stored.user.map(Arc::from);
        session.expiry = stored.expiry;
        let since = stored.away_since.unwrap_or(self.now);
        session.away_since = Some(since);
        session.received.extend(stored.received);
        for pkid in stored.released {
            session.window.restore(pkid, Flight::Released);
        }
        for queued in stored.queued {
            let (qos, retain, ids, message) = (queued.qos, queued.retain, queued.ids, queued.message);
            let delivery = Delivery { message, qos, retain, ids, source: None, stored: queued.seq, blame: None };
            match queued.pkid {
                Some(pkid) => session.window.restore(pkid, Flight::Sent(delivery)),
                None => {
                    self.held.add_place();
                    session.enqueue(delivery);
                }
            }
        }
        let (epoch, expiry) = (session.epoch, session.expiry);
        let key = self.sessions.insert(session);
        self.by_id.insert(id, key);
        for (filter, options) in stored.subscriptions {
            let Some(parsed) = Filter::parse(&filter) else { continue };
            self.subscribe(key, filter.into(), parsed, options, &Asked::default());
        }
        if expiry != u32::MAX {
            // Time went on while the broker was down.
            let left = Duration::from_secs(expiry.into()).saturating_sub(self.now.saturating_duration_since(since));
            self.after_for(key, left, Timer::Expire(key, epoch));
        }
        let redispatch = Duration::from_millis(self.config.redispatch_after_ms);
        self.after_for(key, redispatch, Timer::Redispatch(key, epoch));
    }

    /// A retained message was kept or cleared.
    pub(super) fn record_retained(&mut self, message: &Arc<Message>, kept: bool) {
        if is_own(message) {
            return;
        }
        self.record(|_| {
            if kept {
                Op::PutRetained { message: Arc::clone(message) }
            } else {
                Op::DropRetained { topic: message.topic.clone() }
            }
        });
    }
}

/// `reason` and `detail` are what is refused in a SUBACK or UNSUBACK, if anything is.
fn encode(out: &mut BytesMut, client: &Client, kind: &ReplyKind, reason: Reason, detail: &str) {
    let (version, why) = (client.version, Why { reason, detail, room: client.reason_room });
    match kind {
        ReplyKind::Ack(kind, pkid, reason) => ack(out, version, *kind, *pkid, Why { reason: *reason, ..why }),
        ReplyKind::SubAck(pkid, codes) => suback(out, version, *pkid, codes, why),
        ReplyKind::UnsubAck(pkid, codes) => unsuback(out, version, *pkid, codes, why),
        // It is made when it is sent: the topic may have an alias by then.
        ReplyKind::Publish(..) => {}
        ReplyKind::Refused(refused) => encode(out, client, &refused.answer, refused.reason, &refused.detail),
    }
}
