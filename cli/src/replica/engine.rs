//! The engine of a replica: made from its arguments and its revision.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail};
use flotilla_engine::context::{Contexts, SharedStore};
use flotilla_engine::observe::Observer;
use flotilla_engine::settings::Settings;
use flotilla_engine::{Credentials, DeployReport, Engine, EngineParts};
use flotilla_flows::{DeployType, Document};
use flotilla_group::context_prefix;
use flotilla_group::member::Standing;
use flotilla_group::revision::Revision;
use flotilla_group::schedule::Ticks;
use flotilla_script::Script;
use flotilla_store::Store;

use super::args::EngineArgs;
use super::context_storage;
use super::schedule::GroupSchedule;
use super::secret_files;

/// The settings that the arguments ask for.
pub fn settings(args: &EngineArgs, id: &str) -> Settings {
    let defaults = Settings::default();
    Settings {
        group: args.group.clone(),
        replica: id.to_owned(),
        workers: args.workers.map_or(defaults.workers, usize::from).max(1),
        max_in_flight: usize::from(args.max_in_flight),
        on_failure: args.on_failure.into(),
        measure: args.measure.into(),
        max_retries: args.max_retries,
        retry_delay: Duration::from_secs_f64(args.retry_delay),
        max_attempts: args.max_attempts,
        dead_letter_topic: args.dead_letter_topic.clone(),
        deny: args.deny.clone(),
        allow_unknown: args.allow_unknown,
        node_modules: args.node_modules.clone(),
        share_subscriptions: true,
        keep_session: Duration::from_secs(args.keep_session.into()),
        ..defaults
    }
}

/// Starts the engine, without a flow yet. `standing` is set once the replica has joined its group.
pub async fn start(
    settings: Settings,
    store: &Arc<dyn Store>,
    standing: Arc<OnceLock<Standing>>,
    observer: Box<dyn Observer>,
) -> anyhow::Result<Engine> {
    let contexts = Contexts::default();
    contexts.add("shared", Arc::new(SharedStore::new(store, context_prefix(&settings.group))));
    let ticks = Ticks::new(store.clone(), &settings.group)?;
    let schedule = GroupSchedule::start(ticks, &settings.replica, standing).await;
    let parts = EngineParts {
        settings,
        contexts: Arc::new(contexts),
        observer,
        schedule: Arc::new(schedule),
        types: flotilla_runtime::types(),
    };
    Engine::start(parts).context("cannot start worker threads")
}

/// Has the workers start their script engines, which takes each of them some milliseconds, while it is found out what is to be
/// deployed.
fn start_scripts(engine: &Engine, document: &Document) {
    let functions = document.entries().iter().filter(|node| node.kind == "function" && !node.disabled);
    let tabs: HashSet<&str> = functions.map(|node| node.z.as_str()).collect();
    let workers = engine.shared().workers();
    // Tabs are spread evenly: with fewer of them a worker may never run a script, and need not have the memory for it.
    if tabs.len() < workers.len() {
        return;
    }
    for worker in workers {
        // What is wrong is told by the nodes that need one.
        worker.run(|_| drop(Script::current()));
    }
}

/// Runs a revision. Nodes that cannot start are logged; the rest runs.
pub async fn deploy(
    engine: &Engine,
    mut revision: Revision,
    secrets: BTreeMap<String, String>,
    key: Option<&str>,
    deploy_type: DeployType,
) -> anyhow::Result<DeployReport> {
    // Moved: a large document need not be here twice.
    let mut document = Document::from_value(std::mem::take(&mut revision.flows))?;
    document.set_node_settings(&revision.nodes);
    let mut credentials = Credentials::default();
    if revision.credentials.is_object() {
        credentials.extend(revision.credentials_with(key).context("see --group-key")?);
    }
    for (node, fields) in &document.credentials {
        if let serde_json::Value::Object(fields) = fields {
            credentials.entry(node.clone()).or_insert_with(|| fields.clone());
        }
    }
    let env =
        secret_files::resolve(revision.env.iter().map(|(name, value)| (name.clone(), value.clone())).chain(secrets));
    context_storage::apply(engine.shared().contexts(), &revision.settings);
    // Many settings are read when a node starts.
    let same_settings = engine.shared().settings().node_red == revision.settings;
    let env = env.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
    let before = engine.shared().settings();
    engine.shared().set_settings(Settings { env, node_red: revision.settings.clone(), ..(*before).clone() });
    let deploy_type = if same_settings { deploy_type } else { DeployType::Full };
    start_scripts(engine, &document);
    let report = match engine.deploy(&document, credentials, deploy_type).await {
        Ok(report) => report,
        Err(error) => bail!(error),
    };
    for problem in &report.problems {
        tracing::error!(
            node = problem.id,
            name = problem.name,
            tab = problem.tab,
            "this {} node cannot start: {}",
            problem.kind,
            problem.message
        );
    }
    Ok(report)
}
