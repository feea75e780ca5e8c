//! Ends the MQTT sessions that a group without replicas has left at brokers.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use flotilla_api::group::SessionEnd;
use flotilla_engine::context::Contexts;
use flotilla_engine::message::generate_id;
use flotilla_engine::observe::{LogEntry, Observer};
use flotilla_engine::settings::Settings;
use flotilla_engine::{Alone, Engine, EngineParts};
use flotilla_flows::{DeployType, PROJECT_LINK_BROKERS, shown_url};
use flotilla_gateway::admin::SessionEnder;
use flotilla_group::desired::DesiredStates;
use flotilla_group::revision::{Revision, Revisions};
use flotilla_group::sealing::KeyRing;
use flotilla_group::secret::Secrets;
use flotilla_group::session::{ENDING, Ending, Sessions};
use flotilla_nodes_network::mqtt::{CLOSING, KeptSession, end, group_sessions};
use flotilla_store::{Moment, Store};
use flotilla_tasks::Task;
use futures::future::BoxFuture;
use futures::{StreamExt as _, stream};
use tokio::time::{Instant, timeout, timeout_at};

use super::brokers::{ids, is_of, of_group, reduce};
use crate::replica::deploy;

/// How long all of it takes at most.
const WHOLE: Duration = Duration::from_secs(20);
/// After this long nothing more is read of the store, made ready or begun with: what was begun by then ends within [`WHOLE`].
const BEGIN: Duration = Duration::from_secs(10);
/// How long a broker may take with one session.
const EACH: Duration = Duration::from_secs(5);
/// How long what has reached the brokers may take to stop; after that it stops by itself.
const STOP: Duration = Duration::from_secs(2);
/// What is left of [`WHOLE`] at least, for the records of what has ended.
const RECORDS: Duration = Duration::from_secs(1);
const _: () = assert!(
    BEGIN.as_secs() + EACH.as_secs() + CLOSING.as_secs() + STOP.as_secs() + RECORDS.as_secs() <= WHOLE.as_secs(),
    "what is begun at the last moment ends in time"
);
const _: () =
    assert!(WHOLE.as_secs() < ENDING.as_secs(), "no replica goes on with a session that is still being ended");
/// How many are ended at the same time.
const AT_ONCE: usize = 64;
/// How many earlier revisions are looked into for a broker node that the flow does not have any more.
const BACK: usize = 20;

/// Ends the MQTT sessions that groups without replicas have left at brokers.
#[derive(Clone)]
pub struct LeftSessions {
    store: Arc<dyn Store>,
    keys: KeyRing,
    /// Where project links meet, with user and password.
    project_broker: Option<String>,
}

/// What keeps replicas from taking work.
#[derive(Clone, Copy)]
struct Mark<'a> {
    sessions: &'a Sessions,
    ending: &'a Ending,
    /// Nothing is begun after this.
    until: Instant,
}

/// What a revision says of its brokers goes to nobody.
struct Silent;

impl Observer for Silent {
    fn log(&self, _entry: &LogEntry) {}
}

impl LeftSessions {
    /// Over a store. Credentials are opened with `keys`.
    pub fn new(store: Arc<dyn Store>, keys: KeyRing, project_broker: Option<String>) -> LeftSessions {
        LeftSessions { store, keys, project_broker }
    }

    /// Ends those of a group; its replicas have left. It takes 20 s at most. A recorded session that cannot be ended stays
    /// recorded. The sessions of the group itself (of nodes that one replica at a time consumes, of announcements) are not
    /// recorded: they are found in what the group ran last, which stays in the store, and are ended anew by each call.
    ///
    /// A group of the same name may be made meanwhile: its replicas register, see that sessions are being ended, and take no work
    /// before that is over. A replica that registered before is seen here, and nothing is ended.
    ///
    /// # Errors
    /// When the group has replicas, while the store is away or does not answer in time, or when a record in it cannot be read.
    pub async fn end_all(&self, group: &str) -> anyhow::Result<Vec<SessionEnd>> {
        let begun = Instant::now();
        let sessions = Sessions::new(self.store.clone(), group)?;
        let by = generate_id().to_string();
        let begin = async { anyhow::Ok(sessions.begin_ending(&by).await?) };
        let ending = within(begun + BEGIN, "the store", begin).await?;
        let ended = self.end_found(group, &sessions, &ending, begun).await;
        let unmarked = async { anyhow::Ok(sessions.end_of(ending).await?) };
        if let Err(error) = within(begun + WHOLE, "the store", unmarked).await {
            // The outcome counts more; the mark goes away by itself.
            tracing::warn!("replicas of group \"{group}\" take work {} s late at most: {error:#}", ENDING.as_secs());
        }
        ended
    }

    /// Finds what is left and ends it.
    async fn end_found(
        &self,
        group: &str,
        sessions: &Sessions,
        ending: &Ending,
        begun: Instant,
    ) -> anyhow::Result<Vec<SessionEnd>> {
        let until = begun + BEGIN;
        let found = async {
            let listed = sessions.list().await?.into_iter();
            let recorded = listed.map(|kept| {
                serde_json::from_value(kept.session).context("the record of an MQTT session cannot be read")
            });
            self.by_revision(group, recorded.collect::<anyhow::Result<Vec<KeptSession>>>()?).await
        };
        let mut ended = Vec::new();
        let mark = Mark { sessions, ending, until };
        for (at, (revision, recorded)) in within(until, "the store", found).await?.into_iter().enumerate() {
            ended.extend(self.of_revision(group, revision, at == 0, recorded, mark).await);
        }
        let done: Vec<&SessionEnd> = ended.iter().filter(|session| session.problem.is_none()).collect();
        let forgotten = async {
            // A replica that has begun meanwhile may have recorded a session of the same ClientID.
            let held = if done.is_empty() { Moment::now() } else { sessions.hold(ending).await? };
            for session in &done {
                anyhow::ensure!(
                    Moment::now() < held,
                    "the records of ended sessions could not be removed in time: try again"
                );
                sessions.forget(&session.client_id).await?;
            }
            anyhow::Ok(())
        };
        within(begun + WHOLE, "the store", forgotten).await?;
        ended.sort_by(|a: &SessionEnd, b| (&a.broker, &a.client_id).cmp(&(&b.broker, &b.client_id)));
        Ok(ended)
    }

    /// The sessions with the revision whose broker nodes they are at: what the group runs now first, then earlier ones.
    async fn by_revision(
        &self,
        group: &str,
        recorded: Vec<KeptSession>,
    ) -> anyhow::Result<Vec<(Option<Revision>, Vec<KeptSession>)>> {
        let revisions = Revisions::new(self.store.clone(), group)?;
        let Some((state, _)) = DesiredStates::new(self.store.clone(), group)?.load().await? else {
            return Ok(if recorded.is_empty() { Vec::new() } else { vec![(None, recorded)] });
        };
        let now = revisions.load(state.goal()).await?;
        let ids = ids(&now);
        let (mut here, elsewhere): (Vec<_>, Vec<_>) =
            recorded.into_iter().partition(|session| is_of(&session.broker, &ids));
        let mut all = Vec::new();
        let mut missing = elsewhere;
        let before = if missing.is_empty() { Vec::new() } else { revisions.list().await? };
        for given in before.iter().rev().filter(|given| given.id != state.goal()).take(BACK) {
            if missing.is_empty() {
                break;
            }
            let Ok(earlier) = revisions.load(&given.id).await else { continue };
            let ids = self::ids(&earlier);
            let (found, rest): (Vec<_>, Vec<_>) = missing.into_iter().partition(|session| is_of(&session.broker, &ids));
            missing = rest;
            if !found.is_empty() {
                all.push((Some(earlier), found));
            }
        }
        here.extend(missing);
        all.insert(0, (Some(now), here));
        Ok(all)
    }

    async fn of_revision(
        &self,
        group: &str,
        revision: Option<Revision>,
        is_current: bool,
        mut recorded: Vec<KeptSession>,
        mark: Mark<'_>,
    ) -> Vec<SessionEnd> {
        let until = mark.until;
        let of_group = revision.as_ref().filter(|_| is_current).map(of_group).unwrap_or_default();
        if recorded.is_empty() && of_group.is_empty() {
            return Vec::new();
        }
        let engine = match revision {
            _ if Instant::now() >= until => Err(anyhow::anyhow!(not_tried())),
            Some(revision) => self.engine(group, revision, until).await,
            None => Err(anyhow::anyhow!("no revision of group \"{group}\" has this broker")),
        };
        let engine = match engine {
            Ok(engine) => engine,
            Err(error) => {
                let why = format!("{error:#}");
                let own = of_group.into_keys().map(|broker| of_nobody(broker, why.clone()));
                return recorded.iter().map(|session| told(session, Err(why.clone()))).chain(own).collect();
            }
        };
        let shared = engine.shared().clone();
        let mut ended = Vec::new();
        for (id, single) in &of_group {
            for found in group_sessions(&shared, id, *single) {
                match found {
                    Ok(session) => recorded.push(session),
                    Err(why) => ended.push(of_nobody(id.clone(), why)),
                }
            }
        }
        let ending = recorded.into_iter().map(|session| {
            let (shared, project_broker) = (shared.clone(), self.project_broker.clone());
            async move {
                let project = PROJECT_LINK_BROKERS.contains(&session.broker.as_str());
                let otherwise = project_broker.as_deref().filter(|_| project);
                let ended = mark.under(|held| {
                    let may = move || Moment::now() < held;
                    end(&shared, &session, otherwise, EACH, may)
                });
                told(&session, ended.await)
            }
        });
        ended.extend(stream::iter(ending).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
        stop(engine.shutdown()).await;
        ended
    }

    /// An engine that has the revision's broker nodes, and runs nothing.
    async fn engine(&self, group: &str, mut revision: Revision, until: Instant) -> anyhow::Result<Engine> {
        let secrets = Secrets::new(self.store.clone(), group)?;
        let opened = async {
            let keys = self.keys.keys().await?;
            let values = secrets.values(keys.as_deref()).await?;
            anyhow::Ok((keys, values))
        };
        let (keys, secrets) = within(until, "the store", opened).await?;
        reduce(&mut revision);
        let settings = Settings {
            group: group.to_owned(),
            replica: "none".to_owned(),
            workers: 1,
            share_subscriptions: true,
            allow_unknown: true,
            ..Settings::default()
        };
        let engine = Engine::start(EngineParts {
            settings,
            contexts: Arc::new(Contexts::default()),
            observer: Box::new(Silent),
            schedule: Arc::new(Alone),
            types: flotilla_runtime::types(),
        })
        .context("cannot start a worker thread")?;
        let deployed = deploy(&engine, revision, secrets, keys.as_deref(), DeployType::Full);
        match within(until, "starting the broker nodes of the flow", deployed).await {
            Ok(_) => Ok(engine),
            Err(error) => {
                stop(engine.shutdown()).await;
                Err(error)
            }
        }
    }
}

impl Mark<'_> {
    /// Takes a step that no replica can get in the way of. It is told until when that is so.
    async fn under<F: Future<Output = Result<(), String>>>(self, step: impl FnOnce(Moment) -> F) -> Result<(), String> {
        if Instant::now() >= self.until {
            return Err(not_tried());
        }
        // A process that stood still may have lost it.
        match timeout_at(self.until, self.sessions.hold(self.ending)).await {
            Ok(Ok(held)) => step(held).await,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(not_tried()),
        }
    }
}

impl SessionEnder for LeftSessions {
    fn end(&self, group: &str) -> BoxFuture<'static, Vec<SessionEnd>> {
        let (own, group) = (self.clone(), group.to_owned());
        Box::pin(async move {
            own.end_all(&group).await.unwrap_or_else(|error| {
                tracing::warn!("cannot end the MQTT sessions that group \"{group}\" has left: {error:#}");
                vec![of_nobody("*".to_owned(), format!("{error:#}"))]
            })
        })
    }
}

/// The outcome of work, which has until then.
async fn within<T>(until: Instant, what: &str, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    timeout_at(until, work).await.unwrap_or_else(|_| Err(anyhow::anyhow!("{what} took too long: try again")))
}

fn not_tried() -> String {
    format!("it was not tried: the other sessions took {} s", BEGIN.as_secs())
}

/// Lets something stop, and waits [`STOP`] for it. It goes on stopping after that.
async fn stop(stopping: impl Future<Output = ()> + Send + 'static) {
    let task = Task {
        name: "stop of ended sessions",
        owner: "ended sessions".into(),
        ends: "what has reached the brokers has stopped",
        failure: "its worker thread is left behind",
    };
    if timeout(STOP, task.spawn(stopping)).await.is_err() {
        tracing::warn!("the engine that ended MQTT sessions did not stop within {} s", STOP.as_secs());
    }
}

/// What is wrong where the ClientID is not even known.
fn of_nobody(broker: String, why: String) -> SessionEnd {
    SessionEnd { client_id: "*".to_owned(), broker, problem: Some(why) }
}

fn told(session: &KeptSession, ended: Result<(), String>) -> SessionEnd {
    SessionEnd { client_id: session.client_id.clone(), broker: shown_url(&session.url), problem: ended.err() }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use flotilla_group::member::{Registration, ReplicaRecord};
    use flotilla_group::sealing::Restart;

    use super::*;

    #[tokio::test]
    async fn sessions_of_a_group_that_has_replicas_again_are_left_to_them() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("s.db").display());
        let store = flotilla_store::open(&url).await.unwrap();
        let keys = KeyRing::new(store.clone(), Some("the group's key"), Restart::Given);
        let left = LeftSessions::new(store.clone(), keys, None);
        let record = ReplicaRecord { id: "r".to_owned(), group: "g".to_owned(), ..ReplicaRecord::default() };
        let lease = Duration::from_secs(60);
        let replica = Registration::join(store.clone(), record, "p", lease, |_| {}).await.unwrap();
        let refused = left.end_all("g").await.unwrap_err().to_string();
        assert_eq!(refused, "group \"g\" still has 1 replica: stop it first");
        replica.leave().await;
        assert!(left.end_all("g").await.unwrap().is_empty());
        assert!(!Sessions::new(store, "g").unwrap().are_ending().await.unwrap(), "no replica waits afterwards");
    }

    #[tokio::test]
    async fn a_session_is_ended_only_while_the_mark_is_there() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("s.db").display());
        let store = flotilla_store::open(&url).await.unwrap();
        let sessions = Sessions::new(store.clone(), "g").unwrap();
        let ending = sessions.begin_ending("a").await.unwrap();
        let mark = Mark { sessions: &sessions, ending: &ending, until: Instant::now() + BEGIN };
        let mut steps = 0;
        let ended = mark.under(|held| {
            steps += 1;
            std::future::ready(if Moment::now() < held { Ok(()) } else { Err("it is over".to_owned()) })
        });
        assert_eq!(ended.await, Ok(()));
        // It runs out while the process stands still.
        for entry in store.list(&sessions.endings_key()).await.unwrap() {
            store.delete(&entry.key, None).await.unwrap();
        }
        let ended = mark.under(|_| {
            steps += 1;
            std::future::ready(Ok(()))
        });
        let refused = ended.await.unwrap_err();
        assert!(refused.contains("may have replicas again"), "{refused}");
        assert_eq!(steps, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_answer_holds_nobody_up() {
        let begun = Instant::now();
        let error = within(begun + BEGIN, "the store", pending::<anyhow::Result<()>>()).await.unwrap_err();
        assert_eq!(error.to_string(), "the store took too long: try again");
        assert_eq!(begun.elapsed().as_secs(), BEGIN.as_secs());
        stop(pending()).await;
        assert_eq!(begun.elapsed().as_secs(), (BEGIN + STOP).as_secs());
        stop(std::future::ready(())).await;
        assert_eq!(begun.elapsed().as_secs(), (BEGIN + STOP).as_secs(), "what stops at once is waited for no longer");
    }
}
