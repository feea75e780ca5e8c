//! Watches the groups of a store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flotilla_api::alert::{Alert, AlertRules};
use flotilla_group::GroupError;
use flotilla_group::alert::{Book, Books, Cause, Picture, Watch};
use flotilla_group::deadletter::DeadLetters;
use flotilla_group::desired::DesiredStates;
use flotilla_group::member::Registry;
use flotilla_group::spec::Specs;
use flotilla_store::{Lease, Store};
use flotilla_tasks::{Handle, Task};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::gauges::Gauges;
use super::webhook::Webhook;

/// How often a group is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long the store may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// For how long a gateway that dies is the one that raises alerts.
const LEAD: Duration = Duration::from_secs(10);
/// Groups that are looked at beside each other.
const AT_ONCE: usize = 32;
/// How often it says that it goes on to be.
const RENEW: Duration = Duration::from_secs(3);

/// How long the oldest message of a group waits at a broker that this process knows, milliseconds.
pub type Backlog = Arc<dyn Fn(&str) -> u64 + Send + Sync>;

/// Watches the groups of a store: shows what it sees, raises alerts and sends them.
#[derive(Clone)]
pub struct Watcher {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Unique per process.
    pub holder: String,
    /// What alerts are signed with.
    pub secret: Option<Arc<str>>,
    /// See [`Backlog`].
    pub backlog: Backlog,
    /// What it sees.
    pub gauges: Arc<Gauges>,
}

/// One group that is watched.
struct Watched {
    watch: Watch,
    /// How many replicas it is to have.
    wanted: usize,
    rules: AlertRules,
    book: Book,
    /// What the store has of it.
    saved: Book,
    /// This gateway raised the last alerts, and goes on while the store is away.
    leads: bool,
    lease: Option<(Lease, Instant)>,
    sending: Option<(Alert, Handle<Result<(), String>>)>,
}

impl Watcher {
    /// Watches until the token is cancelled. After a panic it begins again with what the store has.
    pub fn start(self, stop: CancellationToken) {
        let task = |name| Task {
            name,
            owner: "gateway".into(),
            ends: "the gateway stops",
            failure: "this gateway looks at its groups anew in a second, and goes on with the alerts in the store",
        };
        drop(task("alerts").spawn(async move {
            while task("watch of groups").supervise(self.watch(&stop)).await.is_err() {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    () = stop.cancelled() => break,
                }
            }
        }));
    }

    async fn watch(&self, stop: &CancellationToken) {
        let mut groups: HashMap<String, Watched> = HashMap::new();
        loop {
            self.look(&mut groups).await;
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => break,
            }
        }
        self.leave(groups).await;
    }

    /// Lets another gateway lead at once.
    async fn leave(&self, groups: HashMap<String, Watched>) {
        for (lease, _) in groups.into_values().filter_map(|watched| watched.lease) {
            // A store that is away lets the lease run out.
            let _ = tokio::time::timeout(ANSWER, self.store.release(&lease)).await;
        }
    }

    async fn look(&self, groups: &mut HashMap<String, Watched>) {
        let specs = tokio::time::timeout(ANSWER, Specs::new(self.store.clone()).list()).await;
        if let Ok(Ok(specs)) = specs {
            groups.retain(|name, _| {
                let stays = specs.iter().any(|spec| spec.name == *name);
                if !stays {
                    self.gauges.forget(name);
                }
                stays
            });
            for spec in specs {
                let watched = groups.entry(spec.name).or_insert_with(|| Watched {
                    watch: Watch::default(),
                    wanted: 0,
                    rules: AlertRules::default(),
                    book: Book::default(),
                    saved: Book::default(),
                    leads: false,
                    lease: None,
                    sending: None,
                });
                (watched.rules, watched.wanted) = (spec.alerts, usize::from(spec.replicas));
            }
        }
        // Beside each other: where the store is slow, each of them waits for it, and not all for each.
        let looks = futures::stream::iter(groups.iter_mut());
        looks.for_each_concurrent(AT_ONCE, |(group, watched)| self.look_at(group, watched)).await;
    }

    async fn look_at(&self, group: &str, watched: &mut Watched) {
        let picture = match tokio::time::timeout(ANSWER, self.picture(group)).await {
            Ok(Ok(picture)) => Picture { wanted: watched.wanted, ..picture },
            Ok(Err(_)) | Err(_) => Picture { now_ms: now_ms(), ..Picture::default() },
        };
        let causes = watched.watch.look(&picture, &watched.rules);
        let causes = self.act(group, watched, causes, &picture).await;
        self.gauges.show(group, picture, causes);
    }

    async fn picture(&self, group: &str) -> Result<Picture, GroupError> {
        let replicas = Registry::new(self.store.clone(), group)?.list().await?;
        let state = DesiredStates::new(self.store.clone(), group)?.load().await?;
        let dead_letters = DeadLetters::count(&self.store, group).await?;
        Ok(Picture {
            now_ms: now_ms(),
            wanted: 0,
            replicas: Some(replicas),
            rollout: state.and_then(|(state, _)| state.rollout).map(|rollout| rollout.0),
            dead_letters,
            oldest_waiting_ms: (self.backlog)(group),
        })
    }

    /// Raises, ends and sends, if this gateway is the one that does. Answers what is wrong, with what others knew of it.
    async fn act(&self, group: &str, watched: &mut Watched, mut causes: Vec<Cause>, picture: &Picture) -> Vec<Cause> {
        let is_away = picture.replicas.is_none();
        let Ok(books) = Books::new(self.store.clone(), group) else { return causes };
        let held = watched.lease.take().filter(|(lease, asked)| lease.is_live() && asked.elapsed() < RENEW);
        let asks = held.is_none();
        watched.lease = match held {
            Some(held) => Some(held),
            None if is_away => None,
            None => {
                let asked = Instant::now();
                match tokio::time::timeout(ANSWER, books.lead(&self.holder, LEAD)).await {
                    Ok(Ok(lease)) => lease.map(|lease| (lease, asked)),
                    Ok(Err(_)) | Err(_) => return causes,
                }
            }
        };
        let lease = watched.lease.as_ref().map(|(lease, _)| lease.clone());
        // While the store is away, the one that led goes on with what it knows.
        if lease.is_none() && !(is_away && watched.leads) {
            if std::mem::take(&mut watched.leads) {
                watched.book.hand_over(picture.now_ms, &watched.rules);
            }
            self.send(watched, picture.now_ms).await;
            return causes;
        }
        if asks && lease.is_some() {
            let Ok(Ok(kept)) = tokio::time::timeout(ANSWER, books.load()).await else {
                watched.lease = None;
                return causes;
            };
            let is_own = watched.leads && (kept == watched.saved || kept == watched.book);
            if !is_own {
                // Another gateway led meanwhile, or this one begins.
                if watched.leads {
                    watched.book.hand_over(picture.now_ms, &watched.rules);
                }
                watched.book.take_over(kept.clone());
                watched.watch.resume(&watched.book.0.active, &watched.rules);
                causes = watched.watch.look(picture, &watched.rules);
                watched.leads = true;
            }
            watched.saved = kept;
        }
        let before = watched.book.clone();
        let now = picture.now_ms;
        // What is sent was in the store before: another gateway that goes on does not raise it again.
        self.send(watched, now).await;
        watched.book.note(group, &causes, now, &watched.rules, &|| new_id(now));
        report(&before, &watched.book);
        if let Some(lease) = lease
            && watched.book != watched.saved
        {
            let saved = tokio::time::timeout(ANSWER, books.save(&watched.book, lease.fence())).await;
            if matches!(saved, Ok(Ok(()))) {
                watched.saved.clone_from(&watched.book);
            } else {
                // It is asked anew who leads, and looked what the store has.
                watched.lease = None;
            }
        }
        causes
    }

    /// Sends what is due, beside the looking.
    async fn send(&self, watched: &mut Watched, now: u64) {
        if let Some((_, sending)) = &watched.sending {
            if !sending.is_finished() {
                return;
            }
            if let Some((alert, sent)) = watched.sending.take() {
                let result = sent.await.unwrap_or_else(|ended| Err(ended.to_string()));
                if let Err(error) = &result {
                    tracing::warn!("an alert was not taken: {error}; it is sent again");
                }
                watched.book.sent(&alert, result, now);
            }
        }
        let Some(alert) = watched.book.due(now).cloned() else { return };
        let webhook = Webhook::new(&watched.rules.webhook, self.secret.clone());
        let task = Task {
            name: "webhook",
            owner: alert.group.as_str().into(),
            ends: "the receiver has answered, or 5 s have passed",
            failure: "the alert is sent again",
        };
        let sent = alert.clone();
        let sending = task.spawn(async move {
            let webhook = webhook.map_err(|error| error.to_string())?;
            webhook.send(&alert).await.map(drop).map_err(|error| error.to_string())
        });
        watched.sending = Some((sent, sending));
    }
}

/// Says in the log what was raised and what ended.
fn report(before: &Book, now: &Book) {
    let is_in = |list: &[Alert], id: &str| list.iter().any(|alert| alert.id == id);
    for alert in now.0.active.iter().filter(|alert| !is_in(&before.0.active, &alert.id)) {
        tracing::warn!(group = alert.group, alert = alert.kind.name(), "alert: {}", alert.text);
    }
    for alert in now.0.ended.iter().filter(|alert| !is_in(&before.0.ended, &alert.id)) {
        tracing::info!(group = alert.group, alert = alert.kind.name(), "alert ended: {}", alert.text);
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// An id that no other alert has: only one gateway makes them at a time.
fn new_id(now: u64) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{now}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use flotilla_api::alert::AlertKind;
    use flotilla_api::group::GroupSpec;

    use super::*;

    #[tokio::test]
    async fn a_watcher_that_panics_begins_again_and_goes_on_with_what_the_store_has() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = flotilla_store::open(&format!("sqlite:{}", folder.path().join("s.db").display())).await.unwrap();
        Specs::new(store.clone()).add_if_none(&GroupSpec::named("g")).await.unwrap();
        let panicked = Arc::new(AtomicBool::new(false));
        let seen = panicked.clone();
        let backlog: Backlog = Arc::new(move |_| {
            assert!(seen.swap(true, Ordering::Relaxed), "as this test wants it");
            120_000
        });
        let stop = CancellationToken::new();
        let _guard = stop.clone().drop_guard();
        let watcher =
            Watcher { store: store.clone(), holder: "one".to_owned(), secret: None, backlog, gauges: Arc::default() };
        watcher.start(stop);
        let raised = async {
            let books = Books::new(store, "g").unwrap();
            while !books.load().await.unwrap().0.active.iter().any(|alert| alert.kind == AlertKind::Backlog) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), raised).await.expect("the backlog is raised all the same");
        assert!(panicked.load(Ordering::Relaxed));
    }
}
