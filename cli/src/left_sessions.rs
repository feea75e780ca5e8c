//! What a group without replicas has left at MQTT brokers, and how it is ended.

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use flotilla_api::group::SessionEnd;
use flotilla_engine::context::Contexts;
use flotilla_engine::observe::{LogEntry, Observer};
use flotilla_engine::settings::Settings;
use flotilla_engine::{Alone, Engine, EngineParts};
use flotilla_flows::{DeployType, Document, NodeConfig, PROJECT_LINK_BROKERS};
use flotilla_gateway::admin::SessionEnder;
use flotilla_group::desired::DesiredStates;
use flotilla_group::revision::{Revision, Revisions};
use flotilla_group::sealing::KeyRing;
use flotilla_group::secret::Secrets;
use flotilla_group::session::Sessions;
use flotilla_nodes_network::mqtt::{KeptSession, end, group_sessions, shown};
use flotilla_store::Store;
use futures::future::BoxFuture;
use futures::{StreamExt as _, stream};
use serde_json::Value;

use crate::exit::Exit;
use crate::plain::print;
use crate::replica::deploy;

/// How long a broker may take with one session.
const EACH: Duration = Duration::from_secs(5);
/// After this long no more are begun with.
const ALL: Duration = Duration::from_secs(14);
/// How many are ended at the same time.
const AT_ONCE: usize = 64;
/// How many earlier revisions are looked into for a broker node that the flow does not have any more.
const BACK: usize = 20;
/// What a flow is reduced to: its brokers, how they are reached, and where they are. Nothing of it runs.
const NEEDED: [&str; 5] = ["tab", "subflow", "global-config", "mqtt-broker", "tls-config"];

/// Ends the MQTT sessions that groups without replicas have left at brokers.
#[derive(Clone)]
pub struct LeftSessions {
    store: Arc<dyn Store>,
    keys: KeyRing,
    /// Where project links meet, with user and password.
    project_broker: Option<String>,
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

    /// Ends those of a group; its replicas have left. A recorded session that cannot be ended stays recorded; the sessions of
    /// the group itself (of nodes that one replica at a time consumes, of announcements) never are.
    ///
    /// # Errors
    /// While the store is away, or when a record in it cannot be read.
    pub async fn end_all(&self, group: &str) -> anyhow::Result<Vec<SessionEnd>> {
        let sessions = Sessions::new(self.store.clone(), group)?;
        let recorded: Vec<KeptSession> = sessions
            .list()
            .await?
            .into_iter()
            .map(|kept| serde_json::from_value(kept.session).context("the record of an MQTT session cannot be read"))
            .collect::<anyhow::Result<_>>()?;
        let until = Instant::now() + ALL;
        let mut ended = Vec::new();
        for (at, (revision, recorded)) in self.by_revision(group, recorded).await?.into_iter().enumerate() {
            ended.extend(self.of_revision(group, revision, at == 0, recorded, until).await);
        }
        for session in ended.iter().filter(|session| session.problem.is_none()) {
            sessions.forget(&session.client_id).await?;
        }
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
        until: Instant,
    ) -> Vec<SessionEnd> {
        let of_group = revision.as_ref().filter(|_| is_current).map(of_group).unwrap_or_default();
        if recorded.is_empty() && of_group.is_empty() {
            return Vec::new();
        }
        let engine = match revision {
            Some(revision) => self.engine(group, revision).await,
            None => Err(anyhow::anyhow!("group \"{group}\" has no revision with this broker")),
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
                let ended = match Instant::now() < until {
                    true => end(&shared, &session, otherwise, EACH).await,
                    false => Err(format!("it was not tried: others took {} s", ALL.as_secs())),
                };
                told(&session, ended)
            }
        });
        ended.extend(stream::iter(ending).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
        engine.shutdown().await;
        ended
    }

    /// An engine that has the revision's broker nodes, and runs nothing.
    async fn engine(&self, group: &str, mut revision: Revision) -> anyhow::Result<Engine> {
        let keys = self.keys.keys().await?;
        let secrets = Secrets::new(self.store.clone(), group)?.values(keys.as_deref()).await?;
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
        match deploy(&engine, &revision, secrets, keys.as_deref(), DeployType::Full).await {
            Ok(_) => Ok(engine),
            Err(error) => {
                engine.shutdown().await;
                Err(error)
            }
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

/// What is wrong where the ClientID is not even known.
fn of_nobody(broker: String, why: String) -> SessionEnd {
    SessionEnd { client_id: "*".to_owned(), broker, problem: Some(why) }
}

fn told(session: &KeptSession, ended: Result<(), String>) -> SessionEnd {
    SessionEnd { client_id: session.client_id.clone(), broker: shown(&session.url), problem: ended.err() }
}

/// Reports what became of sessions: the ended ones unless `quiet`. Exit code 5 when some are left; `again` is how to try again.
pub fn tell(sessions: &[SessionEnd], quiet: bool, again: &str) -> anyhow::Result<ExitCode> {
    let mut left = 0;
    for SessionEnd { client_id, broker, problem } in sessions {
        match problem {
            None if !quiet => print(&format!("ended the MQTT session {client_id} at {broker}\n")),
            None => {}
            Some(why) => {
                left += 1;
                eprintln!("the MQTT session {client_id} at {broker} was not ended: {why}");
            }
        }
    }
    if left == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let sessions = if left == 1 { "1 MQTT session was" } else { &*format!("{left} MQTT sessions were") };
    eprintln!(
        "{sessions} not ended: brokers may queue messages there until the session expires (--keep-session). To try again, \
         once the cause is mended: {again}"
    );
    Ok(Exit::Unreachable.into())
}

fn nodes(revision: &Revision) -> impl Iterator<Item = &Value> {
    let list = revision.flows.as_array().or_else(|| revision.flows.get("flows")?.as_array());
    list.into_iter().flatten()
}

fn text<'a>(node: &'a Value, field: &str) -> &'a str {
    node.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn ids(revision: &Revision) -> HashSet<String> {
    let project = PROJECT_LINK_BROKERS.into_iter().map(str::to_owned);
    brokers(revision).into_iter().chain(project).collect()
}

/// Whether a broker node is one of these. That of a subflow has the instance's id before its own.
fn is_of(broker: &str, ids: &HashSet<String>) -> bool {
    ids.iter()
        .any(|id| broker.strip_suffix(id.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('-')))
}

fn brokers(revision: &Revision) -> Vec<String> {
    nodes(revision).filter(|node| text(node, "type") == "mqtt-broker").map(|node| text(node, "id").to_owned()).collect()
}

/// The broker nodes at which the group itself may have sessions: through those that are true, one replica at a time consumes
/// something; the others have announcements.
fn of_group(revision: &Revision) -> BTreeMap<String, bool> {
    let Ok(mut document) = Document::from_value(revision.flows.clone()) else { return BTreeMap::new() };
    document.set_node_settings(&revision.nodes);
    let announces = |node: &&NodeConfig| {
        let topics = ["birthTopic", "closeTopic", "willTopic"];
        node.kind == "mqtt-broker" && topics.iter().any(|topic| !node.str(topic).is_empty())
    };
    // Nodes of subflows are there once for each instance.
    let graph = flotilla_flows::expand(&document).graph;
    let nodes = || graph.nodes.iter().map(|node| &node.config);
    let announcing = nodes().filter(announces).map(|node| (node.id.clone(), false));
    let single = nodes().filter(|node| node.kind == "mqtt in" && node.is_for_one());
    announcing.chain(single.map(|node| (node.str("broker").to_owned(), true))).collect()
}

/// Leaves what brokers need.
fn reduce(revision: &mut Revision) {
    let list = match &mut revision.flows {
        Value::Array(list) => Some(list),
        flows => flows.get_mut("flows").and_then(Value::as_array_mut),
    };
    if let Some(list) = list {
        list.retain(|node| {
            let kind = text(node, "type");
            NEEDED.contains(&kind) || kind.starts_with("subflow:")
        });
    }
    let known: HashSet<String> = nodes(revision).map(|node| text(node, "id").to_owned()).collect();
    revision.nodes.retain(|id, _| known.contains(id));
    revision.settings.remove("contextStorage");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_flow_only_its_brokers_are_left() {
        let mut revision = Revision {
            flows: json!([
                {"id": "t", "type": "tab"},
                {"id": "b", "type": "mqtt-broker"},
                {"id": "s", "type": "tls-config"},
                {"id": "i", "type": "mqtt in", "broker": "b", "ha": "single"},
                {"id": "e", "type": "exec"},
            ]),
            ..Revision::default()
        };
        assert_eq!(of_group(&revision), BTreeMap::from([("b".to_owned(), true)]));
        reduce(&mut revision);
        let kinds: Vec<&str> = nodes(&revision).map(|node| text(node, "type")).collect();
        assert_eq!(kinds, ["tab", "mqtt-broker", "tls-config"]);
    }
}
