//! One piece of work from outside, and the one way in which it ends.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use flotilla_value::{Str, Value};

use super::deliveries::Deliveries;
use crate::trail::{How, Trail};

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Every holder let go and nothing failed.
    Completed,
    /// An error was caught by no catch node.
    Failed(Failure),
    /// The replica gave it up: the drain deadline passed, or a node that held it was closed.
    Abandoned,
}

/// Why a delivery failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The node's id.
    pub node: Str,
    /// The error as the node reported it.
    pub error: Value,
    /// The message that it failed with; undefined when there was none.
    pub message: Value,
}

/// The `code` of errors that say that the store is away.
pub const STORE_AWAY: &str = "ERR_STORE_UNAVAILABLE";

impl Failure {
    /// True when the store was away: the message is as good as before, and is run again when the store is back.
    pub fn is_store_away(&self) -> bool {
        match &self.error {
            Value::Error(error) => error.props.get("code").is_some_and(|code| code.to_text() == STORE_AWAY),
            Value::Object(object) => object.get("code").is_some_and(|code| code.to_text() == STORE_AWAY),
            _ => false,
        }
    }
}

/// Hears how a delivery ended, with its trail if it has one.
type OnEnd = Box<dyn FnOnce(Outcome, Option<&Arc<Trail>>) + Send>;

/// One piece of work from outside (an MQTT message, an HTTP request, a timer tick). Every message carries an `Arc` of it;
/// when the last holder lets go it ends, exactly once, and the source hears how.
///
/// It fails when a node reports an error for a message of it that no catch node handles; the first failure counts. It is
/// abandoned when a node is closed, or a thread unwinds, while it holds a message of it: then it was not finished, and its
/// source must not acknowledge it. Nodes that keep messages (delay, join, batch) keep it open, and a node that forgets to drop a
/// message keeps it open for ever: nothing but the end of the process ends it then. One that was [given up](Delivery::abandon)
/// goes on with the messages that it still has, but what they publish is dropped where another process makes it anew.
pub struct Delivery {
    number: u64,
    /// When, as the deliveries count time.
    began: u64,
    source: Str,
    failure: Mutex<Option<Failure>>,
    on_end: Mutex<Option<OnEnd>>,
    /// `on_end` was taken. Set under its lock; read without, for each message that is published.
    has_ended: AtomicBool,
    /// True once its source gives it to somebody else, whatever becomes of it here.
    gone: Option<Arc<AtomicBool>>,
    /// Where it went, if that is recorded.
    trail: OnceLock<Arc<Trail>>,
    all: Arc<Deliveries>,
}

thread_local! {
    static ABANDONING: Cell<u32> = const { Cell::new(0) };
}

/// While one of these lives, deliveries whose last holder lets go on this thread end as abandoned: nodes are being
/// closed, and what they still held was not finished.
pub struct Abandoning(());

impl Abandoning {
    /// Begins to abandon on this thread.
    pub fn begin() -> Abandoning {
        ABANDONING.with(|depth| depth.set(depth.get() + 1));
        Abandoning(())
    }
}

impl Drop for Abandoning {
    fn drop(&mut self) {
        ABANDONING.with(|depth| depth.set(depth.get() - 1));
    }
}

impl Delivery {
    /// Begins a delivery. `on_end` is called exactly once, on the thread of the last holder: it must not block.
    pub fn begin(all: &Arc<Deliveries>, source: Str, on_end: impl FnOnce(Outcome) + Send + 'static) -> Arc<Delivery> {
        Delivery::begin_until(all, source, None, move |outcome, _| on_end(outcome))
    }

    /// The same; `gone` becomes true when its source gives it to somebody else, who does everything anew. `on_end` hears
    /// of its trail, too.
    pub fn begin_until(
        all: &Arc<Deliveries>,
        source: Str,
        gone: Option<Arc<AtomicBool>>,
        on_end: impl FnOnce(Outcome, Option<&Arc<Trail>>) + Send + 'static,
    ) -> Arc<Delivery> {
        all.in_flight.fetch_add(1, Ordering::AcqRel);
        let number = all.started.fetch_add(1, Ordering::Relaxed);
        let on_end: OnEnd = Box::new(on_end);
        let trail = all.recorder.choose(&source).map_or_else(OnceLock::new, OnceLock::from);
        Arc::new(Delivery {
            number,
            began: all.ages.begin(),
            source,
            failure: Mutex::new(None),
            on_end: Mutex::new(Some(on_end)),
            has_ended: AtomicBool::new(false),
            gone,
            trail,
            all: all.clone(),
        })
    }

    /// Its number on this replica, from 0.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The id of the node that it came in through.
    pub fn source(&self) -> &Str {
        &self.source
    }

    /// Where it went so far, if that is recorded.
    pub fn trail(&self) -> Option<&Arc<Trail>> {
        self.trail.get()
    }

    /// Has it recorded from now on, its beginning, whatever the rule.
    pub fn record(&self) {
        if self.trail.get().is_none()
            && let Some(trail) = self.all.recorder.begin_anyway(&self.source)
        {
            let _ = self.trail.set(trail);
        }
    }

    /// Has it recorded from now on, whatever the rule, unless it has ended: its client was told that it takes too long. Answers
    /// its trail.
    pub fn record_from_now(&self) -> Option<&Arc<Trail>> {
        // Who ends it takes this first, and finds the trail.
        let on_end = self.on_end.lock();
        on_end.as_ref()?;
        let age = || self.all.ages.of(self.began);
        Some(self.trail.get_or_init(|| self.all.recorder.begin_from_now(&self.source, age())))
    }

    /// A node failed with this message: from here on it is recorded.
    pub(crate) fn record_failing(&self, node: &Str, message: &Value) {
        if self.trail.get().is_none() {
            self.late_trail().reaches(node, message);
        }
    }

    fn late_trail(&self) -> &Arc<Trail> {
        self.trail.get_or_init(|| self.all.recorder.begin_late(&self.source, self.all.ages.of(self.began)))
    }

    /// Marks it as failed; the first failure counts.
    pub fn fail(&self, failure: Failure) {
        self.failure.lock().get_or_insert(failure);
    }

    /// The failure so far.
    pub fn failure(&self) -> Option<Failure> {
        self.failure.lock().clone()
    }

    /// True when its source gives it to somebody else should this replica die.
    pub fn is_repeatable(&self) -> bool {
        self.gone.is_some()
    }

    /// True when somebody else does it anew: it was abandoned, or its source gives it to another. What it has not sent yet is
    /// not to be sent: it would come after what the other sends.
    pub fn is_void(&self) -> bool {
        let gone = self.gone.as_ref().is_some_and(|gone| gone.load(Ordering::Acquire));
        gone || self.has_ended.load(Ordering::Acquire)
    }

    /// Ends it now as abandoned, whoever still holds it; what they do later has no delivery to answer to.
    pub fn abandon(&self) {
        self.end(Outcome::Abandoned);
    }

    fn end(&self, outcome: Outcome) {
        let on_end = {
            let mut on_end = self.on_end.lock();
            self.has_ended.store(true, Ordering::Release);
            on_end.take()
        };
        let Some(on_end) = on_end else { return };
        let counter = match outcome {
            Outcome::Completed => &self.all.completed,
            Outcome::Failed(_) => &self.all.failed,
            Outcome::Abandoned => &self.all.abandoned,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.all.ages.end(self.began);
        if outcome != Outcome::Abandoned && self.all.measures {
            self.all.latencies.add(self.all.ages.micros_of(self.began));
        }
        let trail = match &outcome {
            Outcome::Failed(failure) => Some((self.late_trail(), How::Failed, Some(failure))),
            Outcome::Completed => self.trail.get().map(|trail| (trail, How::Completed, None)),
            Outcome::Abandoned => self.trail.get().map(|trail| (trail, How::Abandoned, None)),
        };
        if let Some((trail, how, failure)) = trail {
            let (node, error) =
                failure.map(|failure| (failure.node.as_str(), failure.error.to_text())).unwrap_or_default();
            self.all.recorder.end(trail, how, node, &error);
        }
        on_end(outcome, self.trail.get());
        if self.all.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.all.idle.notify_waiters();
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let failure = self.failure.get_mut().take();
        let outcome = match failure {
            // Whoever held it last panicked: nobody finished it.
            None if ABANDONING.with(|depth| depth.get() == 0) && flotilla_tasks::is_failing() => {
                Outcome::Failed(Failure {
                    node: self.source.clone(),
                    error: Value::from("internal error: what held this message panicked"),
                    message: Value::Undefined,
                })
            }
            _ if ABANDONING.with(|depth| depth.get() > 0) => Outcome::Abandoned,
            Some(_) if self.all.cutting.load(Ordering::Acquire) => Outcome::Abandoned,
            Some(failure) => Outcome::Failed(failure),
            None => Outcome::Completed,
        };
        self.end(outcome);
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delivery({} of {})", self.number, self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended() -> (Arc<Mutex<Vec<Outcome>>>, impl Fn(Outcome) + Send + Clone + 'static) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        (seen, move |outcome| sink.lock().push(outcome))
    }

    #[test]
    fn ends_once_when_the_last_holder_lets_go() {
        let all = Arc::new(Deliveries::default());
        let (seen, on_end) = ended();
        let delivery = Delivery::begin(&all, "n".into(), on_end);
        let held = delivery.clone();
        drop(delivery);
        assert!(seen.lock().is_empty());
        held.fail(Failure { node: "f".into(), error: Value::from("first"), message: Value::Undefined });
        held.fail(Failure { node: "f".into(), error: Value::from("second"), message: Value::Undefined });
        drop(held);
        assert_eq!(
            *seen.lock(),
            [Outcome::Failed(Failure { node: "f".into(), error: Value::from("first"), message: Value::Undefined })]
        );
        assert_eq!(all.counts().in_flight, 0);
    }

    #[test]
    fn latencies_are_those_of_what_was_not_abandoned_and_only_where_they_are_measured() {
        for (measures, measured) in [(true, 2), (false, 0)] {
            let all = Arc::new(Deliveries::new(Arc::default(), measures));
            drop(Delivery::begin(&all, "n".into(), |_| {}));
            let failed = Delivery::begin(&all, "n".into(), |_| {});
            failed.fail(Failure { node: "n".into(), error: Value::from("x"), message: Value::Undefined });
            drop(failed);
            Delivery::begin(&all, "n".into(), |_| {}).abandon();
            let counts = all.counts();
            assert_eq!((counts.completed, counts.failed, counts.abandoned), (1, 1, 1), "counted all the same");
            assert_eq!(all.latencies().up_to.last(), Some(&measured));
            assert_eq!(all.measures(), measures);
        }
    }

    #[tokio::test]
    async fn what_a_panicking_task_holds_has_failed() {
        let all = Arc::new(Deliveries::default());
        let (seen, on_end) = ended();
        let delivery = Delivery::begin(&all, "n".into(), on_end);
        let task = flotilla_tasks::Task { name: "t", owner: "n".into(), ends: "now", failure: "its delivery fails" };
        let panicked = task.spawn(async move {
            let _held = delivery;
            tokio::task::yield_now().await;
            panic!("by hand");
        });
        assert!(panicked.await.is_err());
        assert!(matches!(&seen.lock()[..], [Outcome::Failed(failure)] if failure.node == "n"), "{:?}", seen.lock());
        assert_eq!((all.counts().failed, all.counts().completed), (1, 0));
    }

    #[test]
    fn what_a_closing_node_holds_is_abandoned() {
        let all = Arc::new(Deliveries::default());
        let (seen, on_end) = ended();
        let delivery = Delivery::begin(&all, "n".into(), on_end.clone());
        {
            let _closing = Abandoning::begin();
            drop(delivery);
        }
        let delivery = Delivery::begin(&all, "n".into(), on_end);
        assert!(!delivery.is_void());
        delivery.abandon();
        assert!(delivery.is_void(), "what it would still send comes from another");
        drop(delivery);
        assert_eq!(*seen.lock(), [Outcome::Abandoned, Outcome::Abandoned]);
        assert_eq!(all.counts().abandoned, 2);
    }
}
