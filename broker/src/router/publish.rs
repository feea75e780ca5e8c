//! PUBLISH: who gets a message.

use std::sync::Arc;

use super::{Router, deaths::without_deaths, refusals::about};
use crate::{
    message::Message,
    persist::Op,
    session::{Delivery, Ids, SessionKey, Subscription},
    share::GroupKey,
};
use flotilla_codec::{AckKind, Publish, QoS, Reason, Version};

/// A publish that waits for room in a share group. The 3.1.1 client that sent it is not read from
/// until it goes through.
#[derive(Debug)]
pub struct Blocked(pub Publish);

/// Who a message goes to; reused, so that a publish allocates nothing for it.
#[derive(Debug, Default)]
pub(super) struct Hits {
    sessions: Vec<(SessionKey, Subscription)>,
    pub(super) groups: Vec<GroupKey>,
    /// Filters with plain subscriptions that matched: with more than one, a session may be there twice.
    filters: usize,
}

impl Router {
    /// PUBLISH from a client.
    pub(super) fn on_publish(&mut self, session: SessionKey, mut publish: Publish) -> Result<(), Blocked> {
        publish.forward = without_deaths(publish.forward);
        let (qos, pkid) = (publish.qos, publish.pkid);
        if qos == QoS::ExactlyOnce && !self.begin_exactly_once(session, pkid) {
            return Ok(());
        }
        if self.refuses_retained(session, &publish) {
            return Ok(());
        }
        if !self.may_publish(session, &publish.topic) {
            self.deny(session, &publish);
            return Ok(());
        }
        if qos != QoS::AtMostOnce && self.is_disk_behind() {
            self.refused_any = true;
            return Err(Blocked(publish));
        }
        let mut hits = self.find(&publish);
        if hits.groups.iter().any(|group| self.is_full(*group)) {
            if qos == QoS::AtMostOnce {
                let before = hits.groups.len();
                hits.groups.retain(|group| !self.is_full(*group));
                self.stats.dropped_group += (before - hits.groups.len()) as u64;
            } else {
                self.hits = hits;
                return self.refuse(session, publish);
            }
        }
        let reason = if hits.sessions.is_empty() && hits.groups.is_empty() {
            Reason::NoMatchingSubscribers
        } else {
            Reason::Success
        };
        self.stats.received[qos as usize] += 1;
        self.stats.received_bytes[qos as usize] += publish.payload.len() as u64;
        self.route(Some(session), publish, &mut hits);
        self.hits = hits;
        match qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.promise_ack(session, AckKind::PubAck, pkid, reason),
            QoS::ExactlyOnce => {
                // A message may have ended this session (a will, a take-over): then nobody waits for it.
                if let Some(entry) = self.sessions.get_mut(session) {
                    entry.received.insert(pkid);
                }
                self.record_for(session, |session| Op::PutReceived { session, pkid });
                self.promise_ack(session, AckKind::PubRec, pkid, reason);
            }
        }
        Ok(())
    }

    /// `$SYS` is the broker's own; for the rest the ACL decides.
    fn may_publish(&self, session: SessionKey, topic: &[u8]) -> bool {
        if topic.starts_with(b"$SYS/") {
            return false;
        }
        let client = self.sessions[session].client.as_ref();
        client
            .and_then(|client| client.rights.as_ref())
            .is_none_or(|rights| std::str::from_utf8(topic).is_ok_and(|topic| rights.may_publish(topic)))
    }

    /// 3.1.1 cannot say that a publish was not allowed: it is acknowledged and goes nowhere [MQTT-3.3.5-2].
    fn deny(&mut self, session: SessionKey, publish: &Publish) {
        self.stats.dropped_denied += 1;
        if publish.qos != QoS::AtMostOnce {
            let topic = std::str::from_utf8(&publish.topic).unwrap_or_default();
            let reason = Reason::NotAuthorized;
            self.refuse_publish(session, publish, reason, |_| about(reason.text(), topic));
        }
    }

    /// False when the message was taken before (PUBREC is repeated), or there are too many at once.
    fn begin_exactly_once(&mut self, session: SessionKey, pkid: u16) -> bool {
        let received = &self.sessions[session].received;
        if received.contains(&pkid) {
            self.promise_ack(session, AckKind::PubRec, pkid, Reason::Success);
            return false;
        }
        // 3.1.1 has no receive maximum: there the identifiers themselves are the bound.
        let version = self.sessions[session].client.as_ref().map(|client| client.version);
        if version == Some(Version::V5) && received.len() >= usize::from(self.config.receive_maximum) {
            self.kick(session, Reason::ReceiveMaximumExceeded);
            return false;
        }
        true
    }

    /// A share group is full: MQTT 5 has a reason code for that, on 3.1.1 the client has to wait.
    fn refuse(&mut self, session: SessionKey, publish: Publish) -> Result<(), Blocked> {
        self.refused_any = true;
        let version = self.sessions[session].client.as_ref().map(|client| client.version);
        if version == Some(Version::V4) {
            return Err(Blocked(publish));
        }
        self.stats.dropped_group += 1;
        self.refuse_publish(session, &publish, Reason::QuotaExceeded, Self::what_is_full);
        Ok(())
    }

    /// A will, or a message of the broker's own. Nobody can be refused: a share group that is full
    /// does not get it, which is counted.
    pub(super) fn publish_from_broker(&mut self, publish: Publish) {
        let mut hits = self.find(&publish);
        let before = hits.groups.len();
        hits.groups.retain(|group| !self.is_full(*group));
        self.stats.dropped_group += (before - hits.groups.len()) as u64;
        self.route(None, publish, &mut hits);
        self.hits = hits;
    }

    fn find(&mut self, publish: &Publish) -> Hits {
        let mut hits = std::mem::take(&mut self.hits);
        hits.sessions.clear();
        hits.groups.clear();
        hits.filters = 0;
        let topic = std::str::from_utf8(&publish.topic).unwrap_or_default();
        self.filters.matching(topic, &mut |subscribers| {
            hits.filters += usize::from(!subscribers.sessions.is_empty());
            hits.sessions.extend(subscribers.sessions.iter().map(|(session, options)| (*session, *options)));
            hits.groups.extend_from_slice(&subscribers.groups);
        });
        hits
    }

    fn route(&mut self, from: Option<SessionKey>, publish: Publish, hits: &mut Hits) {
        let held = publish.retain || publish.qos != QoS::AtMostOnce || !hits.groups.is_empty();
        let message = Message::new(publish, self.now, held.then_some(&self.held));
        if message.retain {
            self.keep_retained(&message);
        }
        if hits.filters > 1 {
            hits.sessions.sort_unstable_by_key(|(session, _)| *session);
        }
        let mut rest = hits.sessions.as_slice();
        while let [(session, _), ..] = rest {
            let same = if hits.filters > 1 { rest.partition_point(|(other, _)| other == session) } else { 1 };
            let (own, others) = rest.split_at(same);
            rest = others;
            if let Some(delivery) = combine(&message, own, from == Some(*session)) {
                self.deliver(*session, delivery);
            }
        }
        for group in &hits.groups {
            self.share(*group, &message);
        }
    }
}

/// One copy for a session, whatever number of its subscriptions match: the highest QoS and all
/// identifiers [MQTT-3.3.4-2, -3].
fn combine(message: &Arc<Message>, own: &[(SessionKey, Subscription)], echo: bool) -> Option<Delivery> {
    let mut granted = None;
    let mut as_published = false;
    let mut ids = Ids::new();
    for (_, subscription) in own.iter().filter(|(_, options)| !(echo && options.no_local)) {
        granted = granted.max(Some(subscription.qos));
        as_published |= subscription.retain_as_published;
        ids.extend(subscription.id);
    }
    Some(Delivery {
        message: Arc::clone(message),
        qos: message.qos.min(granted?),
        retain: as_published && message.retain,
        ids,
        source: None,
        blame: None,
        stored: 0,
    })
}
