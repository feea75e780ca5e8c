//! What the tests of share groups have in common.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect, TestBroker};

/// What was received, by payload, with how often.
pub type Seen = BTreeMap<String, usize>;

/// Payloads of messages, as text.
pub fn payload(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The payload of the `n`th message; sorts in order of publication.
pub fn name(n: usize) -> String {
    format!("{n:06}")
}

/// Publishes `range` on `topic` at `qos` and waits until each is confirmed.
pub fn publish(broker: &TestBroker, version: u8, topic: &str, range: std::ops::Range<usize>, qos: u8) {
    let mut publisher = Client::connect(broker.address(), &Connect::new(version, "publisher")).unwrap();
    let numbers: Vec<usize> = range.collect();
    for batch in numbers.chunks(100) {
        let sent: Vec<u16> =
            batch.iter().map(|n| publisher.publish(topic, name(*n).as_bytes(), qos, false).unwrap()).collect();
        for pkid in sent {
            let reason = publisher.confirmed(pkid, qos).unwrap();
            assert!(reason < 0x80, "publish was refused with 0x{reason:02x}");
        }
    }
    publisher.ping().unwrap();
}

/// A member that acknowledges whatever it gets, in a thread of its own.
pub struct Worker {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Lets `client` work.
    pub fn start(mut client: Client) -> Self {
        let (seen, stop) = (Arc::<Mutex<Seen>>::default(), Arc::<AtomicBool>::default());
        let (sink, ends) = (seen.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                if let Some(message) = client.message(Duration::from_millis(50)).unwrap() {
                    client.accept(&message).unwrap();
                    *sink.lock().unwrap().entry(payload(&message.payload)).or_default() += 1;
                }
            }
        });
        Self { seen, stop, thread }
    }

    /// How many different messages it got so far.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Ends it; what it got.
    pub fn end(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.seen.lock().unwrap().clone()
    }
}

/// Everything that several members got.
pub fn merge(all: impl IntoIterator<Item = Seen>) -> Seen {
    let mut whole = Seen::new();
    for (payload, count) in all.into_iter().flatten() {
        *whole.entry(payload).or_default() += count;
    }
    whole
}

/// Fails unless each of `0..count` was received exactly once.
pub fn each_once(seen: &Seen, count: usize) {
    let missing: Vec<String> = (0..count).map(name).filter(|name| !seen.contains_key(name)).collect();
    assert!(missing.is_empty(), "{} of {count} lost: {missing:?}", missing.len());
    let twice: Vec<_> = seen.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "not exactly once: {twice:?}");
    assert_eq!(seen.len(), count, "messages that nobody published");
}
