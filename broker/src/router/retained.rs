use std::{sync::Arc, time::Instant};

use crate::{message::Message, topic::Tree};

/// The last retained message of each topic.
#[derive(Debug, Default)]
pub(super) struct Retained {
    topics: Tree<Option<Arc<Message>>>,
    count: usize,
    bytes: usize,
}

impl Retained {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps `message` in place of the last on its topic; an empty payload clears it
    /// [MQTT-3.3.1-6]. Past `most` topics a new one is not kept. Returns whether anything changed.
    pub(super) fn keep(&mut self, message: &Arc<Message>, most: usize) -> bool {
        let topic = message.topic();
        let old = self.topics.get_mut(topic).and_then(Option::take);
        if let Some(old) = &old {
            self.count -= 1;
            self.bytes -= old.size();
        }
        if message.payload.is_empty() || self.count >= most {
            self.topics.remove(topic);
            return old.is_some();
        }
        self.count += 1;
        self.bytes += message.size();
        *self.topics.entry(topic) = Some(Arc::clone(message));
        true
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
        }
        found
    }
}
