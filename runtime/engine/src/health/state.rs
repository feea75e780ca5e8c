//! The health of a replica.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};

use flotilla_value::Str;

use super::canary::Canary;
use super::problem::NodeProblem;
use super::pulse::{Beat, Pulse};
use super::source::Source;

/// Slack on top of the longest time that a script may take.
const SLACK: Duration = Duration::from_secs(5);
/// A worker may be busy for this long whatever the flow says: a deploy is work too.
const LEAST: Duration = Duration::from_secs(30);
/// A script without a time limit: its worker may be silent for this long.
const UNLIMITED: Duration = Duration::from_mins(10);

/// Whether the workers go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They do.
    Well,
    /// A worker has been busy with one thing for longer than any script may be.
    Stuck {
        /// Its number.
        worker: usize,
        /// For how long it may be busy.
        bound: Duration,
    },
    /// A worker's thread panicked.
    Dead {
        /// Its number.
        worker: usize,
    },
}

/// What of a replica works, and what does not.
pub struct Health {
    problems: Mutex<BTreeMap<Str, NodeProblem>>,
    /// With the moment since which each has been as it is.
    sources: Mutex<BTreeMap<Str, (Source, Instant)>>,
    changed: Notify,
    connected: Notify,
    verdict: watch::Sender<Verdict>,
    beats: RwLock<Vec<Arc<Beat>>>,
    pulses: Mutex<Vec<Weak<dyn Pulse>>>,
    /// The longest silence of a worker since the last deploy.
    longest_ms: AtomicU64,
    script_limit_ms: AtomicU64,
    /// Grows with each look of the watchdog: a clock that costs nothing to read.
    looks: AtomicU64,
    cutting: Arc<AtomicBool>,
    shut: AtomicBool,
    /// What becomes of work that fails while a revision is on probation.
    pub canary: Arc<Canary>,
}

impl Default for Health {
    fn default() -> Health {
        Health {
            problems: Mutex::default(),
            sources: Mutex::default(),
            changed: Notify::new(),
            connected: Notify::new(),
            verdict: watch::Sender::new(Verdict::Well),
            beats: RwLock::default(),
            pulses: Mutex::default(),
            longest_ms: AtomicU64::new(0),
            script_limit_ms: AtomicU64::new(0),
            looks: AtomicU64::new(0),
            cutting: Arc::default(),
            shut: AtomicBool::new(false),
            canary: Arc::default(),
        }
    }
}

impl Health {
    /// A node does not work, and why. What it said before is replaced.
    pub fn problem(&self, problem: NodeProblem) {
        let id = Str::new(&problem.id);
        let before = self.problems.lock().insert(id, problem.clone());
        if before.as_ref() != Some(&problem) {
            self.changed.notify_one();
        }
    }

    /// A node works again.
    pub fn solved(&self, node: &str) {
        if self.problems.lock().remove(node).is_some() {
            self.changed.notify_one();
        }
    }

    /// A node is gone, with all that was said of it.
    pub(crate) fn forget(&self, node: &str) {
        self.solved(node);
        self.no_source(node);
    }

    /// How a connection of a node is.
    pub fn source(&self, source: Source) {
        let mut sources = self.sources.lock();
        let before = sources.get(&source.node);
        let same = before.filter(|(before, _)| before.connected == source.connected && before.name == source.name);
        let since = same.map_or_else(Instant::now, |(_, since)| *since);
        if before.is_none_or(|(before, _)| *before != source) {
            self.changed.notify_one();
        }
        sources.insert(source.node.clone(), (source, since));
        drop(sources);
        self.connected.notify_waiters();
    }

    /// A node needs no connection any more.
    pub fn no_source(&self, node: &str) {
        if self.sources.lock().remove(node).is_some() {
            self.changed.notify_one();
            self.connected.notify_waiters();
        }
    }

    /// The nodes that do not work.
    pub fn problems(&self) -> Vec<NodeProblem> {
        self.problems.lock().values().cloned().collect()
    }

    /// All connections, and for how long each has been as it is.
    pub fn sources(&self) -> Vec<(Source, Duration)> {
        self.sources.lock().values().map(|(source, since)| (source.clone(), since.elapsed())).collect()
    }

    /// Waits until every source is connected, and subscribed where it subscribes; at once where there is none. The caller sets
    /// the deadline: a source may never connect.
    pub async fn connected(&self) {
        loop {
            let told = self.connected.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.sources.lock().values().all(|(source, _)| source.connected) {
                return;
            }
            told.await;
        }
    }

    /// Waits until something has changed since the last call. For one waiter.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether the workers go on.
    pub fn verdict(&self) -> watch::Receiver<Verdict> {
        self.verdict.subscribe()
    }

    /// For how long the worker that has been silent the longest has been busy with one thing, now.
    pub fn silent(&self) -> Duration {
        self.beats.read().iter().map(|beat| beat.silent()).max().unwrap_or_default()
    }

    /// The longest that a worker was busy with one thing, since the last deploy.
    pub fn longest_silence(&self) -> Duration {
        Duration::from_millis(self.longest_ms.load(Ordering::Relaxed))
    }

    /// The beats of the workers, by number.
    pub fn beats(&self) -> Vec<Arc<Beat>> {
        self.beats.read().clone()
    }

    /// A script may take as long as this; `None` for as long as it wants.
    pub fn allow_script(&self, limit: Option<Duration>) {
        let limit = limit.unwrap_or(UNLIMITED).min(UNLIMITED);
        self.script_limit_ms.fetch_max(limit.as_millis() as u64, Ordering::Relaxed);
    }

    /// How long a worker may be busy with one thing: longer than any script of the flow.
    pub fn bound(&self) -> Duration {
        Duration::from_millis(self.script_limit_ms.load(Ordering::Relaxed)).max(LEAST) + SLACK
    }

    /// Has something looked after from the watchdog's thread, for as long as it lives.
    pub fn look_after(&self, pulse: Weak<dyn Pulse>) {
        self.pulses.lock().push(pulse.clone());
        if self.is_shut()
            && let Some(pulse) = pulse.upgrade()
        {
            pulse.shut();
        }
    }

    /// Closes what brings work in, from outside of the workers' threads; nothing of it opens again.
    pub fn shut(&self) {
        self.shut.store(true, Ordering::Release);
        let pulses = self.pulses.lock().clone();
        pulses.iter().filter_map(Weak::upgrade).for_each(|pulse| pulse.shut());
    }

    /// True after [`Health::shut`].
    pub fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire)
    }

    /// From now on what runs is stopped, and what waits in a worker is abandoned, until [`Health::cut_no_more`].
    pub fn cut(&self) {
        self.cutting.store(true, Ordering::Release);
    }

    /// See [`Health::cut`].
    pub fn cut_no_more(&self) {
        self.cutting.store(false, Ordering::Release);
    }

    /// True while work is cut off.
    pub fn is_cutting(&self) -> bool {
        self.cutting.load(Ordering::Acquire)
    }

    /// The flag behind [`Health::is_cutting`], for those that look at it often.
    pub fn cutting(&self) -> Arc<AtomicBool> {
        self.cutting.clone()
    }

    /// Grows some times a second, whatever the workers do.
    pub(crate) fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }

    pub(crate) fn watch(&self, beats: Vec<Arc<Beat>>) {
        *self.beats.write() = beats;
    }

    /// A deploy begins: what was measured of the former flow does not count for the next.
    pub(crate) fn begin_deploy(&self) {
        self.longest_ms.store(0, Ordering::Relaxed);
    }

    pub(super) fn look(&self) {
        self.looks.fetch_add(1, Ordering::Relaxed);
        let pulses = self.pulses.lock().clone();
        pulses.iter().filter_map(Weak::upgrade).for_each(|pulse| pulse.pulse());
        if pulses.iter().any(|pulse| pulse.strong_count() == 0) {
            self.pulses.lock().retain(|pulse| pulse.strong_count() > 0);
        }
    }

    pub(super) fn judge(&self, verdict: Verdict) {
        self.verdict.send_if_modified(|now| {
            // What was said once holds: the process is on its way out.
            let worse = matches!((&*now, &verdict), (Verdict::Well, _) | (Verdict::Stuck { .. }, Verdict::Dead { .. }));
            let changes = worse && *now != verdict;
            if changes {
                *now = verdict;
            }
            changes
        });
    }

    pub(super) fn silence(&self, silent: Duration) {
        let ms = silent.as_millis() as u64;
        self.longest_ms.fetch_max(ms, Ordering::Relaxed);
        // A worker that is busy for long is told with each second.
        if ms >= 1000 && ms % 1000 < 100 {
            self.changed.notify_one();
        }
    }
}
