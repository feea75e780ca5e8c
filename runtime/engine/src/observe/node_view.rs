//! A live node as it is seen from outside its worker: who it is, what it did, its status.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flotilla_value::{Str, Value};
use parking_lot::Mutex;

use crate::clock::now_ms;

/// One message in so many is timed: reading the clock twice costs as much as a small node.
const TIMED: u64 = 16;

/// A live node, for whoever looks at the replica. Its worker writes; any thread reads, also while the worker hangs.
#[derive(Debug)]
pub struct NodeView {
    /// The node's id.
    pub id: Str,
    /// Its type.
    pub kind: Str,
    /// Its name, or empty.
    pub name: Str,
    /// The id of its tab; empty for global config nodes.
    pub tab: Str,
    /// The tab's name, for people.
    pub tab_label: String,
    /// Node-RED's path of the node: `tab/instance/.../id`.
    pub path: Str,
    /// True for config nodes.
    pub is_config: bool,
    /// Its place in the flow document.
    pub order: usize,
    /// What it receives and sends is counted.
    measures: bool,
    received: AtomicU64,
    sent: AtomicU64,
    errors: AtomicU64,
    timed: AtomicU64,
    timed_ns: AtomicU64,
    status: Mutex<Option<Shown>>,
}

/// A status that a node shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// `{fill, shape, text}`, each of which may be missing.
    pub status: Value,
    /// Since when, milliseconds since the epoch.
    pub since_ms: f64,
}

/// Who a [`NodeView`] is of.
pub(crate) struct NodeIdentity {
    pub(crate) id: Str,
    pub(crate) kind: Str,
    pub(crate) name: Str,
    pub(crate) tab: Str,
    pub(crate) tab_label: String,
    pub(crate) path: Str,
    pub(crate) is_config: bool,
    pub(crate) order: usize,
}

/// What a node did since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCounts {
    /// Messages that it was handed.
    pub received: u64,
    /// Messages that it sent, whatever was wired to it.
    pub sent: u64,
    /// Errors that it reported, caught or not.
    pub errors: u64,
    /// How long it was busy with messages, estimated from those that were timed.
    pub busy: Duration,
}

impl NodeView {
    pub(crate) fn new(seen: NodeIdentity, measures: bool) -> NodeView {
        let NodeIdentity { id, kind, name, tab, tab_label, path, is_config, order } = seen;
        NodeView {
            id,
            kind,
            name,
            tab,
            tab_label,
            path,
            is_config,
            order,
            measures,
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            timed: AtomicU64::new(0),
            timed_ns: AtomicU64::new(0),
            status: Mutex::default(),
        }
    }

    /// It is handed a message. The time when that began, for those that are timed.
    pub(crate) fn receives(&self) -> Option<Instant> {
        if !self.measures {
            return None;
        }
        let before = add(&self.received, 1);
        before.is_multiple_of(TIMED).then(Instant::now)
    }

    /// It is through with a message that is timed.
    pub(crate) fn took(&self, began: Instant) {
        add(&self.timed, 1);
        add(&self.timed_ns, u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn sends(&self, messages: usize) {
        if self.measures {
            add(&self.sent, messages as u64);
        }
    }

    pub(crate) fn errs(&self) {
        add(&self.errors, 1);
    }

    pub(crate) fn shows(&self, status: &Value) {
        // An empty object clears it; so does one whose parts are empty: nothing is seen of it.
        let is_clear = status.as_object().is_none_or(|object| object.iter().all(|(_, part)| !part.truthy()));
        *self.status.lock() = (!is_clear).then(|| Shown { status: status.clone(), since_ms: now_ms() });
    }

    /// What it did.
    pub fn counts(&self) -> NodeCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (received, timed) = (read(&self.received), read(&self.timed));
        let mean = read(&self.timed_ns).checked_div(timed).unwrap_or(0);
        NodeCounts {
            received,
            sent: read(&self.sent),
            errors: read(&self.errors),
            busy: Duration::from_nanos(mean.saturating_mul(received)),
        }
    }

    /// The status that it shows.
    pub fn status(&self) -> Option<Shown> {
        self.status.lock().clone()
    }
}

/// Adds to a counter that one thread writes: without the locked instruction that several would need.
fn add(counter: &AtomicU64, more: u64) -> u64 {
    let before = counter.load(Ordering::Relaxed);
    counter.store(before.wrapping_add(more), Ordering::Relaxed);
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(measures: bool) -> NodeView {
        let seen = NodeIdentity {
            id: "n".into(),
            kind: "function".into(),
            name: Str::default(),
            tab: "t".into(),
            tab_label: "T".to_owned(),
            path: "t/n".into(),
            is_config: false,
            order: 0,
        };
        NodeView::new(seen, measures)
    }

    #[test]
    fn the_first_message_and_one_in_sixteen_are_timed() {
        let view = view(true);
        let timed = (0..33).filter(|_| view.receives().is_some()).count();
        assert_eq!((timed, view.counts().received), (3, 33));
    }

    #[test]
    fn where_nodes_are_not_measured_only_errors_are_counted() {
        let view = view(false);
        assert_eq!((0..33).filter(|_| view.receives().is_some()).count(), 0);
        view.sends(2);
        view.errs();
        assert_eq!(view.counts(), NodeCounts { errors: 1, ..NodeCounts::default() });
    }

    #[test]
    fn an_empty_status_is_none() {
        let view = view(true);
        view.shows(&Value::from([("text", Value::from("on"))].into_iter().collect::<flotilla_value::Object>()));
        assert_eq!(view.status().map(|shown| shown.status.get("text")), Some(Value::from("on")));
        let empty = [("fill", ""), ("text", "")].map(|(name, part)| (name, Value::from(part)));
        view.shows(&Value::from(empty.into_iter().collect::<flotilla_value::Object>()));
        assert_eq!(view.status(), None);
    }
}
