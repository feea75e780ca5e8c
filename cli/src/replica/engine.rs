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
use serde_json::Value;

use super::args::EngineArgs;
use super::context_storage;
use super::memory::give_back_soon;
use super::schedule::GroupSchedule;
use super::secret_files;
use crate::crew;

/// The settings that the arguments ask for.
pub fn settings(args: &EngineArgs, id: &str) -> Settings {
    let defaults = Settings::default();
    Settings {
        group: args.group.clone(),
        replica: id.to_owned(),
        process: crew::process_text().unwrap_or_else(|| defaults.process.clone()),
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

/// Has the workers start their script engines, which takes each of them some milliseconds, while the revision is recorded and it
/// is found out what is to be deployed. What the revision's settings say of scripts they take when it is deployed.
pub fn start_scripts(engine: &Engine, flows: &Value) {
    let workers = engine.shared().workers();
    for worker in workers.iter().take(script_workers(flows, workers.len())) {
        // What is wrong is told by the nodes that need one.
        worker.run(|_| drop(Script::current()));
    }
}

/// How many of the first workers run scripts for certain. Tabs are spread evenly over workers, and begin with the first: with
/// fewer tabs that have functions than workers, a worker may never run a script, and need not have the memory for it.
fn script_workers(flows: &Value, workers: usize) -> usize {
    let entries = flows.as_array().or_else(|| flows.get("flows")?.as_array());
    let (mut tabs, mut with_functions) = (HashSet::new(), HashSet::new());
    let mut has_subflows = false;
    let nodes = || entries.into_iter().flatten();
    let is = |node: &Value, field: &str| node.get(field).and_then(Value::as_bool) == Some(true);
    let off: HashSet<&str> =
        nodes().filter(|tab| is(tab, "disabled")).filter_map(|tab| tab.get("id")?.as_str()).collect();
    for node in nodes() {
        match node.get("type").and_then(Value::as_str).unwrap_or_default() {
            "tab" | "group" => {}
            "subflow" => has_subflows = true,
            kind if node.get("x").is_some() && !is(node, "d") => {
                let tab = node.get("z").and_then(Value::as_str).unwrap_or_default();
                if off.contains(tab) {
                    continue;
                }
                if kind == "function" {
                    with_functions.insert(tab);
                }
                tabs.insert(tab);
            }
            _ => {}
        }
    }
    match with_functions.len() {
        functions if functions >= workers => workers,
        // Each tab has a worker of its own, and needs an engine there.
        functions if functions == tabs.len() && !has_subflows => functions,
        _ => 0,
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
    start_scripts(engine, &revision.flows);
    // Moved: a large document need not be here twice.
    let mut document = Document::from_value(std::mem::take(&mut revision.flows))?;
    document.set_node_settings(&revision.nodes);
    document.tighten();
    let mut credentials = Credentials::default();
    if revision.credentials.is_object() {
        credentials.extend(revision.credentials_with(key).context("see --group-key")?);
    }
    for (node, fields) in &document.credentials {
        if let Value::Object(fields) = fields {
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
    for worker in engine.shared().workers() {
        worker.run(|_| Script::follow_settings());
    }
    let report = match engine.deploy(&document, credentials, deploy_type).await {
        Ok(report) => report,
        Err(error) => bail!(error),
    };
    give_back_soon(&before.replica);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn script_engines_start_early_only_where_a_script_runs_for_certain() {
        let node = |kind: &str, tab: &str| json!({"id": kind, "type": kind, "z": tab, "x": 1});
        let one = json!([{"id": "t", "type": "tab"}, node("inject", "t"), node("function", "t")]);
        assert_eq!((script_workers(&one, 1), script_workers(&one, 4)), (1, 1));
        let whole = json!({"flows": one, "rev": "1"});
        assert_eq!(script_workers(&whole, 4), 1);
        // Which of the two workers gets the tab with the function depends on the sizes of both.
        let mixed = json!([node("function", "t"), node("debug", "u")]);
        assert_eq!((script_workers(&mixed, 1), script_workers(&mixed, 2)), (1, 0));
        let many = json!([node("function", "t"), node("function", "u"), node("function", "v"), node("debug", "w")]);
        assert_eq!((script_workers(&many, 2), script_workers(&many, 3), script_workers(&many, 4)), (2, 3, 0));
        let off = json!([{"id": "a", "type": "function", "z": "t", "x": 1, "d": true}]);
        let tab_off = json!([{"id": "t", "type": "tab", "disabled": true}, node("function", "t")]);
        assert_eq!(script_workers(&tab_off, 1), 0);
        let config = json!([{"id": "a", "type": "mqtt-broker"}]);
        let subflow = json!([{"id": "s", "type": "subflow"}, node("function", "s"), node("subflow:s", "t")]);
        assert_eq!([&off, &config, &subflow, &json!([]), &json!(null)].map(|flows| script_workers(flows, 2)), [0; 5]);
    }
}
