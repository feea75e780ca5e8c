//! The trail of one delivery, while it is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flotilla_value::{Str, Value};
use parking_lot::Mutex;

use super::passed::{Ended, How, Published, Step, TrailView};
use super::recorder::Plan;
use crate::clock::now_ms;

/// Nodes that are recorded of one delivery.
const STEPS: usize = 256;
/// Messages that are recorded of what one delivery publishes.
const PUBLISHED: usize = 64;
/// An error's text is cut here, in bytes.
const TEXT: usize = 2048;
/// Topics and values are cut here.
const SHORT: usize = 256;

/// What all open trails of a replica may take together.
pub(super) struct Room {
    most: usize,
    taken: AtomicUsize,
}

impl Room {
    pub(super) fn new(most: usize) -> Room {
        Room { most, taken: AtomicUsize::new(0) }
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// The trail of one delivery.
pub struct Trail {
    room: Arc<Room>,
    /// What of the room it has.
    taken: AtomicUsize,
    number: u64,
    began: Instant,
    /// Why it is recorded; none for failures, for what was answered too late, and for what is run again.
    plan: Option<Arc<Plan>>,
    known: Mutex<TrailView>,
}

impl Trail {
    pub(super) fn new(
        number: u64,
        source: &Str,
        plan: Option<Arc<Plan>>,
        age: Option<Duration>,
        room: &Arc<Room>,
    ) -> Trail {
        let now = Instant::now();
        let (whole, age) = (age.is_none(), age.unwrap_or_default());
        let known = TrailView {
            number,
            came_ms: now_ms() - age.as_secs_f64() * 1000.0,
            source: source.clone(),
            whole,
            ..TrailView::default()
        };
        Trail {
            room: room.clone(),
            taken: AtomicUsize::new(0),
            number,
            began: now.checked_sub(age).unwrap_or(now),
            plan,
            known: Mutex::new(known),
        }
    }

    /// Takes room for something; false when the open trails have all of it.
    fn has_room(&self, bytes: usize) -> bool {
        let has = self.room.take(bytes);
        if has {
            self.taken.fetch_add(bytes, Ordering::Relaxed);
        }
        has
    }

    /// Gives its room to others: from now on it is kept with its bytes, or not at all.
    pub(super) fn is_done(&self) {
        self.room.taken.fetch_sub(self.taken.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub(super) fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// What is known so far.
    pub fn view(&self) -> TrailView {
        self.known.lock().clone()
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn bytes(&self) -> usize {
        self.known.lock().bytes()
    }

    pub(super) fn has_passed(&self, node: &str) -> bool {
        self.known.lock().has_passed(node)
    }

    pub(super) fn has_property(&self) -> bool {
        self.known.lock().property.is_some()
    }

    /// What it came as: a topic, or the method and path of a request. It counts more than what a message of it says.
    pub fn came_as(&self, topic: &str) {
        self.known.lock().topic = cut(topic);
    }

    /// It reaches a node as this message. Answers what [`Trail::leaves`] is to be given.
    pub fn reaches(&self, node: &Str, message: &Value) -> Option<usize> {
        let at_us = self.now();
        let mut known = self.known.lock();
        note(&mut known, self.plan.as_deref(), message);
        if known.steps.len() >= STEPS || !self.has_room(size_of::<Step>() + node.len()) {
            known.more_steps += 1;
            return None;
        }
        known.steps.push(Step { node: node.clone(), at_us, took_us: 0 });
        Some(known.steps.len() - 1)
    }

    /// The node has handled it.
    pub fn leaves(&self, step: usize) {
        let now = self.now();
        if let Some(step) = self.known.lock().steps.get_mut(step) {
            step.took_us = now.saturating_sub(step.at_us);
        }
    }

    /// It publishes a message.
    pub fn publishes(&self, topic: &str, qos: u8) {
        let at_us = self.now();
        let mut known = self.known.lock();
        if known.published.len() >= PUBLISHED || !self.has_room(size_of::<Published>() + topic.len().min(SHORT)) {
            known.more_published += 1;
            return;
        }
        known.published.push(Published { topic: cut(topic), qos, at_us, ..Published::default() });
    }

    /// A message of this QoS that it published came to its end: the broker has it, or refused it. A broker confirms those of
    /// one QoS in the order of publishing, so it is the oldest that waits. With two brokers in a flow the times may be
    /// swapped.
    pub fn confirms(&self, qos: u8, taken: bool) {
        let now = self.now();
        let mut known = self.known.lock();
        let waits = |one: &&mut Published| one.qos == qos && one.taken_us.is_none() && !one.refused;
        let Some(oldest) = known.published.iter_mut().find(waits) else { return };
        (oldest.taken_us, oldest.refused) = (taken.then_some(now), !taken);
    }

    /// What it came as was acknowledged, now.
    pub fn acknowledged(&self) {
        let now = self.now();
        self.known.lock().acknowledged_us.get_or_insert(now);
    }

    /// The request that it came as was answered with this status, then; the first answer counts. `too_late`: in place of the flow,
    /// which was. A flow may answer 504 itself, for what it asked others.
    pub fn answered(&self, status: u16, when: Instant, too_late: bool) {
        let at_us = u64::try_from(when.saturating_duration_since(self.began).as_micros()).unwrap_or(u64::MAX);
        let mut known = self.known.lock();
        if known.answered.is_none() {
            (known.answered, known.too_late) = (Some((status, at_us)), too_late);
        }
    }

    /// The replica answered the request in place of the flow, which was too late.
    pub(super) fn was_too_late(&self) -> bool {
        self.known.lock().too_late
    }

    pub(super) fn ends(&self, how: How, node: &str, error: &str) {
        let at_us = self.now();
        let end = (0..=TEXT.min(error.len())).rev().find(|end| error.is_char_boundary(*end)).unwrap_or(0);
        let ended = Ended { how, at_us, node: Str::new(node), error: error[..end].to_owned() };
        self.known.lock().ended.get_or_insert(ended);
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.is_done();
    }
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trail({})", self.number)
    }
}

/// Takes from a message what a trail is found by.
fn note(known: &mut TrailView, plan: Option<&Plan>, message: &Value) {
    let text = |name: &str| message.get_ref(name).and_then(Value::as_str).map(cut).unwrap_or_default();
    if known.message.is_empty() {
        known.message = text("_msgid");
    }
    if known.topic.is_empty() {
        known.topic = text("topic");
    }
    if known.property.is_none()
        && let Some(property) = plan.and_then(|plan| plan.rule.property.as_ref())
        && let Some(value) = property.of(message)
    {
        known.property = Some((property.name().to_owned(), cut(&value).to_string()));
    }
}

fn cut(text: &str) -> Str {
    let end = (0..=SHORT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    Str::new(&text[..end])
}
