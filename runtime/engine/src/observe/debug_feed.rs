//! What debug nodes show, for whoever looks: the newest messages, at a rate that costs the flow little.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use flotilla_value::{Value, stringify};

use crate::clock::now_ms;
use crate::ring::{Page, Ring};

/// Messages per second at most; what a person reads is far below.
const PER_SECOND: u64 = 50;
/// Messages that are kept.
const KEPT: usize = 1000;
/// Bytes that they have together.
const KEPT_BYTES: usize = 2 << 20;
/// A message's bytes at most.
const LARGEST: usize = 16 << 10;

/// What debug nodes show.
pub struct DebugFeed {
    ring: Ring<Debugged>,
    began: Instant,
    /// The second that is counted in, and messages in it so far: one number, so that they change together.
    second: AtomicU64,
    left_out: AtomicU64,
    untold: AtomicU64,
}

/// A debug node's message.
#[derive(Clone, Debug, PartialEq)]
pub struct Debugged {
    /// When, milliseconds since the epoch.
    pub time_ms: f64,
    /// Node-RED's sidebar message as JSON: `{id, z, path, name, topic, property, msg, format}`.
    pub json: String,
    /// Messages before this one that came too fast and were left out.
    pub left_out: u64,
}

impl Default for DebugFeed {
    fn default() -> DebugFeed {
        DebugFeed {
            // Grows over restarts of a replica under its id, so that a position names one message.
            ring: Ring::new(now_ms() as u64 * 1000, KEPT, KEPT_BYTES),
            began: Instant::now(),
            second: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
            untold: AtomicU64::new(0),
        }
    }
}

impl DebugFeed {
    /// Whether one more message may come now; if not it is counted as left out.
    pub fn admits(&self) -> bool {
        self.admits_at(self.began.elapsed().as_secs())
    }

    fn admits_at(&self, now: u64) -> bool {
        let before = self.second.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |packed| {
            let (second, count) = (packed >> 16, packed & 0xffff);
            match second == now {
                true if count >= PER_SECOND => None,
                true => Some(packed + 1),
                false => Some(now << 16 | 1),
            }
        });
        if before.is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            self.untold.fetch_add(1, Ordering::Relaxed);
        }
        before.is_ok()
    }

    /// Adds a message.
    pub fn push(&self, message: &Value) -> Debugged {
        let json = stringify(message).ok().flatten().filter(|json| json.len() <= LARGEST);
        let json = json.unwrap_or_else(|| too_large(message));
        let shown = Debugged { time_ms: now_ms(), json, left_out: self.untold.swap(0, Ordering::Relaxed) };
        let bytes = shown.json.len() + size_of::<Debugged>();
        self.ring.push(|_| (shown.clone(), bytes));
        shown
    }

    /// At most `most` messages from a position on.
    pub fn from(&self, position: u64, most: usize) -> Page<Debugged> {
        self.ring.from(position, most)
    }

    /// Follows the position that the next message gets.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.ring.watch()
    }

    /// How many messages were left out since the start because they came too fast.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }
}

/// The message with as much of its content as fits.
fn too_large(message: &Value) -> String {
    let mut cut = message.clone();
    if let Some(object) = cut.as_object_mut() {
        let text = object.get("msg").map(Value::to_text).unwrap_or_default();
        let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= LARGEST / 4).last().unwrap_or(0);
        object.insert("msg", format!("{}... ({} bytes in all)", &text[..end], text.len()));
        object.remove("topic");
    }
    stringify(&cut).ok().flatten().unwrap_or_else(|| "{}".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::Object;

    fn message(text: String) -> Value {
        Value::from([("id", Value::from("d")), ("msg", Value::from(text))].into_iter().collect::<Object>())
    }

    #[test]
    fn what_comes_too_fast_is_counted_and_told_with_the_next() {
        let feed = DebugFeed::default();
        let admitted = (0..PER_SECOND + 30).filter(|_| feed.admits_at(3)).count() as u64;
        assert_eq!((admitted, feed.left_out()), (PER_SECOND, 30));
        assert!(feed.admits_at(4));
        feed.push(&message("a".to_owned()));
        feed.push(&message("b".to_owned()));
        let left_out: Vec<_> = feed.from(0, 10).entries.iter().map(|(_, shown)| shown.left_out).collect();
        assert_eq!(left_out, [30, 0]);
    }

    #[test]
    fn a_large_message_is_cut_and_stays_json() {
        let feed = DebugFeed::default();
        feed.push(&message("\u{e9}".repeat(LARGEST)));
        let page = feed.from(0, 10);
        let json: serde_json::Value = serde_json::from_str(&page.entries[0].1.json).unwrap();
        assert_eq!(json["id"], "d");
        assert!(page.entries[0].1.json.len() <= LARGEST && json["msg"].as_str().unwrap().ends_with("bytes in all)"));
    }
}
