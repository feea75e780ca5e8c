//! Retained messages.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use bytes::Bytes;

use super::{Router, sys::is_own};
use crate::{message::Message, persist::Op, session::SessionKey, topic::Tree};
use flotilla_codec::{Publish, Reason, Version};

/// The last retained message of each topic.
#[derive(Debug, Default)]
pub(super) struct Retained {
    topics: Tree<Arc<Message>>,
    /// Those that expire, by when: nothing is looked through to find them.
    due: BTreeSet<(Instant, Bytes)>,
    count: usize,
    /// Of the messages.
    bytes: usize,
}

/// About the bytes of a place in `due`.
const DUE: usize = 80;

/// Expired messages that are dropped in one step.
const STEP: usize = 1000;

impl Retained {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes of the messages, and of what finds them by topic and expiry.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.topics.bytes() + self.due.len() * DUE
    }

    /// Keeps `message` in place of the last on its topic; an empty payload clears it
    /// [MQTT-3.3.1-6]. False when the bounds forbid it: then the topic has no retained message.
    fn keep(&mut self, message: &Arc<Message>, most: usize, most_bytes: usize) -> bool {
        let topic = message.topic();
        if message.payload.is_empty() {
            self.remove(topic);
            return true;
        }
        let own = message.size() + if message.expires.is_some() { DUE } else { 0 };
        let bytes = self.bytes();
        let fits = match self.topics.get_mut(topic) {
            Some(slot) if self.count <= most && bytes - slot.size() + own <= most_bytes => {
                let old = std::mem::replace(slot, Arc::clone(message));
                self.forget(&old);
                true
            }
            None if self.count < most && bytes + own + Tree::<Arc<Message>>::cost(topic) <= most_bytes => {
                self.topics.insert(topic, Arc::clone(message));
                true
            }
            _ => false,
        };
        if !fits {
            self.remove(topic);
            return false;
        }
        self.count += 1;
        self.bytes += message.size();
        if let Some(at) = message.expires {
            self.due.insert((at, message.topic.clone()));
        }
        true
    }

    fn remove(&mut self, topic: &str) {
        if let Some(old) = self.topics.remove(topic) {
            self.forget(&old);
        }
    }

    /// It is not in the tree any more.
    fn forget(&mut self, old: &Message) {
        self.count -= 1;
        self.bytes -= old.size();
        if let Some(at) = old.expires {
            self.due.remove(&(at, old.topic.clone()));
        }
    }

    /// Drops the first [`STEP`] of what expired; their topics.
    fn expire(&mut self, now: Instant) -> Vec<Bytes> {
        let mut expired = Vec::new();
        while expired.len() < STEP
            && let Some((at, topic)) = self.due.first()
            && *at <= now
        {
            let topic = topic.clone();
            self.remove(std::str::from_utf8(&topic).expect("topics are checked when they come in"));
            expired.push(topic);
        }
        expired
    }

    /// What a new subscription to `filter` gets.
    pub(super) fn matching(&self, filter: &str, now: Instant) -> Vec<Arc<Message>> {
        let mut found = Vec::new();
        self.topics.select(filter, &mut |message: &Arc<Message>| {
            if message.remaining(now).is_some() {
                found.push(Arc::clone(message));
            }
        });
        found
    }
}

impl Router {
    /// Keeps a message that was published with the retain flag. One that does not fit is counted.
    pub(super) fn keep_retained(&mut self, message: &Arc<Message>) {
        let (most, bytes) = (self.config.max_retained, self.config.max_retained_bytes);
        let mut kept = self.retained.keep(message, most, bytes);
        if !kept && self.expire_retained() {
            kept = self.retained.keep(message, most, bytes);
        }
        self.stats.dropped_retained += u64::from(!kept && !is_own(message));
        self.record_retained(message, kept && !message.payload.is_empty());
    }

    /// Drops retained messages that expired, not all at once. Whether there was any.
    pub(super) fn expire_retained(&mut self) -> bool {
        let expired = self.retained.expire(self.now);
        let any = !expired.is_empty();
        for topic in expired {
            self.record(|_| Op::DropRetained { topic });
        }
        any
    }

    /// Where nothing is retained MQTT 5 clients were told so, and may not ask for it [MQTT-3.2.2-14]: true when the
    /// connection ends for it. For 3.1.1 clients it is a message that does not fit.
    pub(super) fn refuses_retained(&mut self, session: SessionKey, publish: &Publish) -> bool {
        if !publish.retain || self.config.max_retained > 0 {
            return false;
        }
        let version = self.sessions[session].client.as_ref().map(|client| client.version);
        let refused = version == Some(Version::V5);
        if refused {
            self.kick(session, Reason::RetainNotSupported);
        }
        refused
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use flotilla_codec::QoS;

    fn message(topic: &str, payload: &'static str, expires: Option<Instant>) -> Arc<Message> {
        Arc::new(Message {
            topic: Bytes::copy_from_slice(topic.as_bytes()),
            payload: payload.into(),
            forward: Bytes::new(),
            qos: QoS::AtMostOnce,
            retain: true,
            expires,
            weight: None,
        })
    }

    #[test]
    fn what_is_counted_comes_back_to_nothing() {
        let now = Instant::now();
        let (mut retained, big) = (Retained::default(), 1 << 30);
        for round in 0..3 {
            for n in 0..100 {
                let expires = (n % (round + 2) == 0).then_some(now);
                assert!(retained.keep(&message(&format!("a/{n}/{}", n % 3), "x", expires), 100, big));
            }
            assert_eq!(retained.count(), 100);
        }
        assert!(!retained.keep(&message("other", "x", None), 100, big), "there are as many as may be");
        let expired = retained.expire(now);
        assert_eq!((expired.len(), retained.count()), (25, 75));
        for n in 0..100 {
            retained.keep(&message(&format!("a/{n}/{}", n % 3), "", None), 100, big);
        }
        assert_eq!((retained.count(), retained.bytes(), retained.due.len()), (0, 0, 0));
    }

    #[test]
    fn nothing_is_dropped_before_its_time_and_not_all_at_once() {
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        let mut retained = Retained::default();
        for n in 0..STEP * 2 + 10 {
            retained.keep(&message(&format!("t/{n}"), "x", Some(later)), usize::MAX, usize::MAX);
        }
        retained.keep(&message("t/0", "stays", None), usize::MAX, usize::MAX);
        assert!(retained.expire(now).is_empty());
        assert_eq!(retained.matching("t/+", later).len(), 1, "what expired is not handed out");
        assert_eq!([0; 4].map(|_| retained.expire(later).len()), [STEP, STEP, 9, 0]);
        assert_eq!(retained.count(), 1);
    }

    /// The levels of a topic are memory, too.
    #[test]
    fn deep_topics_are_counted() {
        let mut retained = Retained::default();
        let deep = |n: usize| message(&format!("{n}{}", "/x".repeat(127)), "x", None);
        let kept = (0..1000).take_while(|n| retained.keep(&deep(*n), 1000, 1 << 20)).count();
        assert!((20..100).contains(&kept), "{kept}");
        assert!(retained.bytes() <= 1 << 20);
    }
}
