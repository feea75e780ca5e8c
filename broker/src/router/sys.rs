//! The broker's own messages on `$SYS/`.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Router;
use crate::message::Message;
use flotilla_codec::{Publish, QoS};

/// When the broker started, and when it speaks of itself next.
#[derive(Debug)]
pub(super) struct Sys {
    start: Instant,
    next: Instant,
}

impl Sys {
    pub(super) fn new(now: Instant, every: u64) -> Self {
        Self { start: now, next: now + Duration::from_secs(every) }
    }
}

impl Router {
    /// Publishes, retained, on `$SYS/broker/...` when it is time. None of it is stored.
    pub(super) fn publish_sys(&mut self) {
        let every = self.config.sys_interval;
        if every == 0 || self.now < self.sys.next {
            return;
        }
        self.sys.next = self.now + Duration::from_secs(every);
        let waiting: usize = self.groups.iter().map(|(_, group)| group.waiting()).sum();
        let numbers = [
            ("uptime", (self.now - self.sys.start).as_secs()),
            ("clients/connected", self.connected as u64),
            ("sessions", self.sessions.len() as u64),
            ("retained/count", self.retained.count() as u64),
            ("messages/received", self.stats.received.iter().sum()),
            ("messages/sent", self.stats.sent.iter().sum()),
            ("messages/dropped", self.stats.dropped().iter().map(|(_, count)| count).sum()),
            ("messages/redelivered", self.stats.redelivered),
            ("groups/count", self.groups.len() as u64),
            ("groups/waiting", waiting as u64),
        ];
        for (name, value) in numbers {
            self.say(name, value.to_string());
        }
        self.say("version", format!("flotilla {}", env!("CARGO_PKG_VERSION")));
    }

    fn say(&mut self, name: &str, value: String) {
        self.publish_from_broker(Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: true,
            pkid: 0,
            topic: format!("$SYS/broker/{name}").into(),
            alias: None,
            expiry: None,
            forward: Bytes::new(),
            payload: value.into(),
        });
    }
}

/// Whether a retained message is the broker's own, which it says again after a restart.
pub(super) fn is_own(message: &Message) -> bool {
    message.topic.starts_with(b"$SYS/")
}
