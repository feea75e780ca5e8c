use std::{sync::Arc, time::Instant};

use bytes::Bytes;

use super::Router;
use crate::{message::Message, topic::Tree};

/// The last retained message of each topic.
#[derive(Debug, Default)]
pub(super) struct Retained {
    topics: Tree<Option<Arc<Message>>>,
    count: usize,
    bytes: usize,
    /// Topics whose message expired since they were last asked for.
    expired: Vec<Bytes>,
}

impl Retained {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps `message` in place of the last on its topic; an empty payload clears it
    /// [MQTT-3.3.1-6]. False when the bounds forbid it: then the topic has no retained message.
    fn keep(&mut self, message: &Arc<Message>, most: usize, most_bytes: usize) -> bool {
        let topic = message.topic();
        if let Some(old) = self.topics.get_mut(topic).and_then(Option::take) {
            self.count -= 1;
            self.bytes -= old.size();
        }
        let fits = self.count < most && self.bytes + message.size() <= most_bytes;
        if message.payload.is_empty() || !fits {
            self.topics.remove(topic);
            return message.payload.is_empty();
        }
        self.count += 1;
        self.bytes += message.size();
        *self.topics.entry(topic) = Some(Arc::clone(message));
        true
    }

    /// Takes the topics whose message expired and that have none now.
    pub(super) fn take_expired(&mut self) -> Vec<Bytes> {
        let mut expired = std::mem::take(&mut self.expired);
        expired.retain(|topic| std::str::from_utf8(topic).is_ok_and(|topic| self.topics.get_mut(topic).is_none()));
        expired
    }

    /// What a new subscription to `filter` gets; what expired is forgotten.
    pub(super) fn matching(&mut self, filter: &str, now: Instant) -> Vec<Arc<Message>> {
        let mut found = Vec::new();
        let mut expired = Vec::new();
        self.topics.select(filter, &mut |slot: &Option<Arc<Message>>| {
            if let Some(message) = slot {
                let list = if message.remaining(now).is_some() { &mut found } else { &mut expired };
                list.push(Arc::clone(message));
            }
        });
        for message in expired {
            self.topics.remove(message.topic());
            self.count -= 1;
            self.bytes -= message.size();
            self.expired.push(message.topic.clone());
        }
        found
    }
}

impl Router {
    /// Keeps a message that was published with the retain flag. One that does not fit is counted.
    pub(super) fn keep_retained(&mut self, message: &Arc<Message>) {
        let (most, bytes) = (self.config.max_retained, self.config.max_retained_bytes);
        let mut kept = self.retained.keep(message, most, bytes);
        if !kept {
            // Expired ones may be what fills it.
            self.retained.matching("#", self.now);
            kept = self.retained.keep(message, most, bytes);
            self.stats.dropped_retained += u64::from(!kept);
        }
        self.record_retained(message, kept && !message.payload.is_empty());
    }
}
