//! When timers fire, for whoever looks.

use std::collections::BTreeMap;

use flotilla_value::Str;
use parking_lot::Mutex;

use crate::clock::now_ms;

/// The timers of a replica, by the id of their node.
#[derive(Default)]
pub struct Timers(Mutex<BTreeMap<Str, TimerView>>);

/// What is known of a timer. Times are milliseconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimerView {
    /// Its rule, for people.
    pub rule: String,
    /// It fires in every replica, not once in the group.
    pub each: bool,
    /// When it is due next.
    pub next_ms: Option<f64>,
    /// When it fired here last.
    pub last_ms: Option<f64>,
    /// How often it fired here.
    pub runs: u64,
    /// How often ticks were skipped.
    pub missed: u64,
    /// When that was last, and why.
    pub last_missed: Option<(f64, String)>,
}

impl Timers {
    /// A timer begins.
    pub fn begin(&self, node: &Str, rule: String, each: bool) {
        self.0.lock().insert(node.clone(), TimerView { rule, each, ..TimerView::default() });
    }

    /// It is due in so many milliseconds.
    pub fn due_in(&self, node: &Str, ms: i64) {
        self.change(node, |timer| timer.next_ms = Some(now_ms() + ms as f64));
    }

    /// It fires here, now.
    pub fn fires(&self, node: &Str) {
        self.change(node, |timer| {
            timer.last_ms = Some(now_ms());
            timer.runs += 1;
        });
    }

    /// Ticks are skipped.
    pub fn misses(&self, node: &Str, why: &str) {
        self.change(node, |timer| {
            timer.missed += 1;
            timer.last_missed = Some((now_ms(), why.to_owned()));
        });
    }

    /// The timers of nodes that are live.
    pub fn views(&self, is_live: impl Fn(&str) -> bool) -> Vec<(Str, TimerView)> {
        let mut all = self.0.lock();
        all.retain(|node, _| is_live(node));
        all.iter().map(|(node, timer)| (node.clone(), timer.clone())).collect()
    }

    fn change(&self, node: &Str, change: impl FnOnce(&mut TimerView)) {
        if let Some(timer) = self.0.lock().get_mut(node) {
            change(timer);
        }
    }
}
