//! A message as the broker holds it, and the count of what is held.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;

use flotilla_codec::{Publish, QoS};

/// A message as the broker holds it; shared by everyone it goes to.
#[derive(Debug)]
pub struct Message {
    /// Topic, UTF-8.
    pub topic: Bytes,
    /// Payload.
    pub payload: Bytes,
    /// Encoded MQTT 5 properties that go on unchanged.
    pub forward: Bytes,
    /// QoS it was published at.
    pub qos: QoS,
    /// Retain flag it was published with.
    pub retain: bool,
    /// When it expires.
    pub expires: Option<Instant>,
    /// Its share of what the broker holds.
    pub weight: Option<Weight>,
}

/// Bytes of the messages that the broker holds, each counted once: waiting, in flight and retained; and of the places
/// that they have in the queues of sessions.
#[derive(Debug, Clone, Default)]
pub struct HeldBytes(Arc<AtomicUsize>);

/// What one message adds to [`HeldBytes`], for as long as it lives.
#[derive(Debug)]
pub struct Weight {
    held: HeldBytes,
    bytes: usize,
}

/// Bytes of a place in a session's queue.
const PLACE: usize = 96;

impl HeldBytes {
    /// Bytes.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// A place in a queue, which refers to a message that is counted by itself.
    pub fn add_place(&self) {
        self.0.fetch_add(PLACE, Ordering::Relaxed);
    }

    /// So many places are free again.
    pub fn free_places(&self, places: usize) {
        self.0.fetch_sub(places * PLACE, Ordering::Relaxed);
    }

    fn weigh(&self, bytes: usize) -> Weight {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Weight { held: self.clone(), bytes }
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.held.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Message {
    /// From a PUBLISH whose alias is resolved. What may be `held` is copied out of the read buffer,
    /// or a few bytes would keep a whole buffer alive.
    pub fn new(publish: Publish, now: Instant, held: Option<&HeldBytes>) -> Arc<Self> {
        let expires = publish.expiry.map(|seconds| now + std::time::Duration::from_secs(seconds.into()));
        let Publish { mut topic, mut payload, mut forward, qos, retain, .. } = publish;
        let size = topic.len() + payload.len() + forward.len();
        if held.is_some() && size < 16 << 10 {
            let mut own = Vec::with_capacity(size);
            own.extend_from_slice(&topic);
            own.extend_from_slice(&payload);
            own.extend_from_slice(&forward);
            let mut own = Bytes::from(own);
            topic = own.split_to(topic.len());
            payload = own.split_to(payload.len());
            forward = own;
        }
        let mut message = Self { topic, payload, forward, qos, retain, expires, weight: None };
        if let Some(held) = held {
            message.weigh(held);
        }
        Arc::new(message)
    }

    /// Counts it among what is held.
    pub fn weigh(&mut self, held: &HeldBytes) {
        self.weight = Some(held.weigh(self.size()));
    }

    /// Topic as text.
    pub fn topic(&self) -> &str {
        std::str::from_utf8(&self.topic).unwrap_or_default()
    }

    /// Bytes it is accounted with.
    pub fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + self.forward.len() + 100
    }

    /// Seconds left, `Some(None)` without an expiry, `None` when it is over.
    pub fn remaining(&self, now: Instant) -> Option<Option<u32>> {
        match self.expires {
            None => Some(None),
            Some(at) if at <= now => None,
            Some(at) => Some(Some((at - now).as_secs_f64().ceil() as u32)),
        }
    }
}
