//! Who decides what is recorded, and keeps it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use flotilla_value::Str;
use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;

use super::passed::{How, TrailView};
use super::rule::Rule;
use super::trail::{Room, Trail};
use crate::ring::Ring;

/// Trails of failures that are kept, and their bytes.
const FAILURES: (usize, usize) = (200, 1 << 20);
/// Trails of others.
const CHOSEN: (usize, usize) = (2000, 4 << 20);
/// Deliveries that are recorded at the same time, and the bytes of what is recorded of them until they end.
const OPEN: (usize, usize) = (4096, 8 << 20);

/// Keeps the trails of a replica: of each delivery that failed or answered its request too late, and of those that a rule
/// chooses. The newest are kept.
pub struct Recorder {
    /// A rule is in force that asks for more. Without one, this is all that a delivery reads.
    on: AtomicBool,
    /// So many of 2^64 deliveries are recorded, by chance; all of them with the largest number.
    share: AtomicU64,
    /// Grows with each delivery that may be recorded: a number by chance is made of it.
    draws: AtomicU64,
    plan: RwLock<Option<Arc<Plan>>>,
    numbers: AtomicU64,
    open: Mutex<FxHashMap<u64, Arc<Trail>>>,
    room: Arc<Room>,
    failures: Ring<Arc<Trail>>,
    chosen: Ring<Arc<Trail>>,
}

/// A rule, and how many deliveries it still asks for.
pub(super) struct Plan {
    pub(super) rule: Rule,
    left: AtomicU64,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder {
            on: AtomicBool::new(false),
            share: AtomicU64::new(u64::MAX),
            draws: AtomicU64::new(rand::random()),
            plan: RwLock::default(),
            numbers: AtomicU64::new(1),
            open: Mutex::default(),
            room: Arc::new(Room::new(OPEN.1)),
            failures: Ring::new(0, FAILURES.0, FAILURES.1),
            chosen: Ring::new(0, CHOSEN.0, CHOSEN.1),
        }
    }
}

impl Plan {
    /// One more may be kept.
    fn takes_one(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

impl Recorder {
    /// Puts another rule in force, or none. What is kept stays.
    pub fn set_rule(&self, rule: Option<Rule>) {
        let plan = rule.map(|rule| Arc::new(Plan { left: AtomicU64::new(rule.next.unwrap_or(u64::MAX)), rule }));
        let percent = plan.as_ref().and_then(|plan| plan.rule.percent);
        // 2^64 is too large for the type: as the largest number, it means all.
        let share = percent.map_or(u64::MAX, |percent| (percent / 100.0 * 2f64.powi(64)) as u64);
        let mut current = self.plan.write();
        self.share.store(share, Ordering::Relaxed);
        self.on.store(plan.is_some(), Ordering::Relaxed);
        *current = plan;
    }

    /// How many more the rule asks for; none without a rule, and when it asks for no number.
    pub fn left(&self) -> Option<u64> {
        let plan = self.plan.read();
        plan.as_ref().filter(|plan| plan.rule.next.is_some()).map(|plan| plan.left.load(Ordering::Relaxed))
    }

    /// A delivery begins: its trail, if it is to have one.
    pub(crate) fn choose(&self, source: &Str) -> Option<Arc<Trail>> {
        if !self.on.load(Ordering::Relaxed) {
            return None;
        }
        let share = self.share.load(Ordering::Relaxed);
        // Nothing more is done for most of them when a rule asks for few.
        if share != u64::MAX && self.draw() >= share {
            return None;
        }
        let plan = {
            let current = self.plan.read();
            let plan = current.as_ref()?;
            if plan.left.load(Ordering::Relaxed) == 0 {
                // Until there is another rule, which needs the lock.
                self.on.store(false, Ordering::Relaxed);
                return None;
            }
            plan.clone()
        };
        self.begin(source, Some(plan), None)
    }

    /// A number by chance (SplitMix64).
    fn draw(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut number = self.draws.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        number ^ (number >> 31)
    }

    /// A delivery that is recorded whatever the rule: it is run again.
    pub(crate) fn begin_anyway(&self, source: &Str) -> Option<Arc<Trail>> {
        self.begin(source, None, None)
    }

    /// A delivery that is recorded from now on, `age` after it came, and can be seen while it is open.
    pub(crate) fn begin_from_now(&self, source: &Str, age: Duration) -> Arc<Trail> {
        self.begin(source, None, Some(age)).unwrap_or_else(|| self.begin_late(source, age))
    }

    fn begin(&self, source: &Str, plan: Option<Arc<Plan>>, age: Option<Duration>) -> Option<Arc<Trail>> {
        let mut open = self.open.lock();
        if open.len() >= OPEN.0 {
            return None;
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let trail = Arc::new(Trail::new(number, source, plan, age, &self.room));
        open.insert(number, trail.clone());
        Some(trail)
    }

    /// The trail of a delivery that was not recorded until it failed, `age` after it came.
    pub(crate) fn begin_late(&self, source: &Str, age: Duration) -> Arc<Trail> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        Arc::new(Trail::new(number, source, None, Some(age), &self.room))
    }

    /// A delivery has ended.
    pub(crate) fn end(&self, trail: &Arc<Trail>, how: How, node: &str, error: &str) {
        trail.ends(how, node, error);
        trail.is_done();
        let was_open = self.open.lock().contains_key(&trail.number());
        let wanted = match trail.plan() {
            Some(plan) => {
                let rule = &plan.rule;
                (rule.node.is_empty() || trail.has_passed(&rule.node))
                    && (rule.property.is_none() || trail.has_property())
                    && plan.takes_one()
            }
            None => was_open,
        };
        if how == How::Failed || trail.was_too_late() {
            self.failures.push(|_| (trail.clone(), trail.bytes()));
        } else if wanted {
            self.chosen.push(|_| (trail.clone(), trail.bytes()));
        }
        // After it is kept: whoever looks meanwhile sees it twice, and never not at all.
        self.open.lock().remove(&trail.number());
    }

    /// All trails: those of open deliveries, and those that are kept.
    pub fn views(&self) -> Vec<TrailView> {
        let open: Vec<_> = self.open.lock().values().cloned().collect();
        let kept = [self.failures.from(0, FAILURES.0), self.chosen.from(0, CHOSEN.0)].into_iter();
        let kept = kept.flat_map(|page| page.entries.into_iter().map(|(_, trail)| trail));
        let mut views: Vec<_> = open.into_iter().chain(kept).map(|trail| trail.view()).collect();
        // One that ended between the two looks is in both.
        views.sort_by_key(|view| (view.number, view.ended.is_none()));
        views.dedup_by_key(|view| view.number);
        views
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::{Object, Value};

    fn message(order: f64) -> Value {
        Value::from([("_msgid", Value::from("m")), ("orderId", Value::from(order))].into_iter().collect::<Object>())
    }

    fn through(recorder: &Recorder, node: &str, order: f64, how: How) {
        let source: Str = "in".into();
        let trail = recorder.choose(&source);
        let failed = || (how == How::Failed).then(|| recorder.begin_late(&source, Duration::from_millis(5)));
        if let Some(trail) = trail.or_else(failed) {
            trail.reaches(&node.into(), &message(order));
            recorder.end(&trail, how, node, "broke");
        }
    }

    #[test]
    fn a_request_that_was_answered_too_late_is_seen_at_once_and_kept_as_a_failure_is() {
        let recorder = Recorder::default();
        let trail = recorder.begin_from_now(&"in".into(), Duration::from_millis(700));
        trail.answered(504, std::time::Instant::now(), true);
        let open = recorder.views();
        assert!(open.len() == 1 && !open[0].whole && open[0].ended.is_none(), "{open:?}");
        assert!(open[0].answered.is_some_and(|(status, at_us)| status == 504 && at_us >= 700_000), "{open:?}");
        recorder.end(&trail, How::Completed, "", "");
        let ended = recorder.views();
        assert!(ended.len() == 1 && ended[0].ended.is_some(), "{ended:?}");
    }

    #[test]
    fn a_share_of_the_deliveries_is_recorded() {
        let recorder = Recorder::default();
        for (percent, least, most) in [(1.0, 50, 200), (50.0, 4_500, 5_500), (100.0, 10_000, 10_000)] {
            recorder.set_rule(Some(Rule::new("", None, Some(percent), "").unwrap()));
            let chosen = (0..10_000).filter(|_| {
                let trail = recorder.choose(&"in".into());
                trail.inspect(|trail| recorder.end(trail, How::Completed, "", "")).is_some()
            });
            let chosen = chosen.count();
            assert!((least..=most).contains(&chosen), "{percent} %: {chosen} of 10,000");
        }
    }

    #[test]
    fn a_flow_that_answers_504_itself_has_not_failed() {
        let recorder = Recorder::default();
        recorder.set_rule(Some(Rule::new("", None, None, "").unwrap()));
        let trail = recorder.choose(&"in".into()).unwrap();
        trail.answered(504, std::time::Instant::now(), false);
        recorder.end(&trail, How::Completed, "", "");
        assert_eq!((recorder.failures.next(), recorder.chosen.next()), (0, 1), "it is no failure");
    }

    #[test]
    fn without_a_rule_failures_alone_are_kept() {
        let recorder = Recorder::default();
        through(&recorder, "f", 1.0, How::Completed);
        through(&recorder, "f", 2.0, How::Failed);
        let views = recorder.views();
        assert_eq!(views.len(), 1);
        let ended = views[0].ended.clone().unwrap();
        assert_eq!((views[0].whole, ended.how, ended.error.as_str()), (false, How::Failed, "broke"));
        assert!(ended.at_us >= 5_000, "{ended:?}");
    }

    #[test]
    fn a_rule_takes_those_that_pass_its_node_as_many_as_it_asks_for() {
        let recorder = Recorder::default();
        recorder.set_rule(Some(Rule::new("f", Some(2), None, "msg.orderId").unwrap()));
        for order in 0..4 {
            through(&recorder, "other", 10.0, How::Completed);
            through(&recorder, "f", f64::from(order), How::Completed);
        }
        let values: Vec<_> = recorder.views().into_iter().filter_map(|view| view.property).collect();
        let wanted = ["0", "1"].map(|value| ("msg.orderId".to_owned(), value.to_owned()));
        assert_eq!((values.as_slice(), recorder.left()), (wanted.as_slice(), Some(0)));
        recorder.set_rule(None);
        assert!(recorder.choose(&"in".into()).is_none());
    }

    #[test]
    fn a_share_is_taken_by_chance() {
        let recorder = Recorder::default();
        recorder.set_rule(Some(Rule::new("", None, Some(10.0), "").unwrap()));
        (0..10_000).for_each(|_| through(&recorder, "f", 1.0, How::Completed));
        let kept = recorder.views().len();
        assert!((700..1300).contains(&kept), "{kept}");
    }

    #[test]
    fn what_is_open_is_seen_and_bounded() {
        let recorder = Recorder::default();
        recorder.set_rule(Some(Rule::new("", None, None, "").unwrap()));
        let open: Vec<_> = (0..OPEN.0 + 10).filter_map(|_| recorder.choose(&"in".into())).collect();
        assert_eq!((open.len(), recorder.views().len()), (OPEN.0, OPEN.0));
        assert!(recorder.views().iter().all(|view| view.ended.is_none()));
        open.iter().for_each(|trail| recorder.end(trail, How::Completed, "", ""));
        assert_eq!(recorder.views().len(), CHOSEN.0);
    }

    #[test]
    fn what_is_open_is_bounded_in_bytes_and_says_what_was_left_out() {
        let recorder = Recorder::default();
        recorder.set_rule(Some(Rule::new("", None, None, "").unwrap()));
        let node: Str = "x".repeat(200).as_str().into();
        let open: Vec<_> = (0..OPEN.0).filter_map(|_| recorder.choose(&"in".into())).collect();
        for trail in &open {
            for _ in 0..20 {
                let _ = trail.reaches(&node, &message(1.0));
            }
        }
        assert!(recorder.room.taken() <= OPEN.1 && recorder.room.taken() > OPEN.1 / 2);
        let views = recorder.views();
        let steps: usize = views.iter().map(|view| view.steps.len()).sum();
        let left_out: u64 = views.iter().map(|view| view.more_steps).sum();
        assert!(left_out > 0 && steps + left_out as usize == OPEN.0 * 20, "{steps} {left_out}");
        open.iter().for_each(|trail| recorder.end(trail, How::Completed, "", ""));
        assert_eq!(recorder.room.taken(), 0, "those that ended give it back");
    }

    #[test]
    fn an_answer_is_seen_with_its_status_and_what_it_came_as_counts_more_than_a_message() {
        let recorder = Recorder::default();
        let trail = recorder.begin_late(&"in".into(), Duration::from_millis(5));
        let changed = Value::from([("topic", Value::from("changed by the flow"))].into_iter().collect::<Object>());
        trail.reaches(&"f".into(), &changed);
        recorder.end(&trail, How::Failed, "f", "broke");
        trail.came_as("POST /orders");
        trail.answered(502, std::time::Instant::now(), false);
        trail.answered(200, std::time::Instant::now(), true);
        let view = recorder.views().remove(0);
        assert_eq!(view.topic, "POST /orders");
        assert!(view.answered.is_some_and(|(status, at_us)| status == 502 && at_us >= 5_000), "{view:?}");
        assert!(!view.too_late, "{view:?}");
    }
}
