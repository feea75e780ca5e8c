//! Building, wiring and starting the nodes of a deploy, on their workers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flotilla_flows::{EnvVar, Graph, GraphNode, names_env, substitute_env};
use futures::FutureExt;
use futures::future::{LocalBoxFuture, join_all};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::health::NodeProblem;
use crate::node::{Built, Inert, Node, NodeCx, NodeError, NodeType, NodeTypes, Origin, Receive, Scope};
use crate::observe::Level;
use crate::worker::{SUBFLOW, SUBFLOW_STATUS, Slot, Worker, panicked};
use flotilla_value::{Str, to_json};

use super::config_slot::ConfigSlot;
use super::report::DeployReport;

/// How long a deploy waits for one node's sockets to be bound.
const READY_LIMIT: Duration = Duration::from_secs(5);

/// Credentials by node id.
pub type Credentials = FxHashMap<String, serde_json::Map<String, serde_json::Value>>;

/// One deploy, as every worker sees it.
pub(super) struct Batch {
    pub(super) types: NodeTypes,
    pub(super) graph: Graph,
    pub(super) credentials: Credentials,
    pub(super) users: FxHashMap<Str, Vec<Str>>,
    pub(super) start: FxHashSet<Str>,
    pub(super) workers: FxHashMap<Str, usize>,
}

/// What a worker does at a time in a deploy.
pub(super) type Step = fn(Rc<Worker>, Arc<Batch>) -> LocalBoxFuture<'static, DeployReport>;

/// A type by its name: the table's, or the engine's own for subflow instances.
pub(super) fn type_of<'a>(types: &'a NodeTypes, kind: &str) -> Option<&'a dyn NodeType> {
    if kind.starts_with("subflow:") {
        return Some(&SUBFLOW);
    }
    if kind == "subflow-status" {
        return Some(&SUBFLOW_STATUS);
    }
    types.get(kind).map(|found| &**found)
}

/// Config nodes that start, those that others refer to first.
fn config_order(batch: &Batch) -> Vec<usize> {
    let nodes = &batch.graph.nodes;
    let configs: Vec<usize> = (0..nodes.len()).filter(|at| nodes[*at].is_config).collect();
    let by_id: FxHashMap<&str, usize> = configs.iter().map(|at| (nodes[*at].config.id.as_str(), *at)).collect();
    let (mut order, mut seen) = (Vec::new(), FxHashSet::default());
    fn visit(
        at: usize,
        nodes: &[GraphNode],
        by_id: &FxHashMap<&str, usize>,
        seen: &mut FxHashSet<usize>,
        order: &mut Vec<usize>,
    ) {
        if !seen.insert(at) {
            return;
        }
        for value in nodes[at].config.props.values() {
            if let Some(referenced) = value.as_str().and_then(|id| by_id.get(id)) {
                visit(*referenced, nodes, by_id, seen, order);
            }
        }
        order.push(at);
    }
    for at in configs {
        visit(at, nodes, &by_id, &mut seen, &mut order);
    }
    order.retain(|at| batch.start.contains(nodes[*at].config.id.as_str()));
    order
}

/// The same in runs that are on one worker each, with its number.
pub(super) fn config_runs(batch: &Batch) -> Vec<(usize, Vec<usize>)> {
    let mut runs: Vec<(usize, Vec<usize>)> = Vec::new();
    for at in config_order(batch) {
        let worker = worker_of(batch, at);
        match runs.last_mut() {
            Some((same, run)) if *same == worker => run.push(at),
            _ => runs.push((worker, vec![at])),
        }
    }
    runs
}

/// The worker of a node of the batch.
fn worker_of(batch: &Batch, at: usize) -> usize {
    batch.workers.get(batch.graph.nodes[at].config.id.as_str()).copied().unwrap_or(0)
}

/// The scopes of the deploy on this worker; made once per deploy and shared with nodes that stay.
fn scopes(worker: &Rc<Worker>, batch: &Batch) -> Vec<Rc<Scope>> {
    let mut made: Vec<Option<Rc<Scope>>> = vec![None; batch.graph.scopes.len()];
    fn make(worker: &Rc<Worker>, batch: &Batch, at: usize, made: &mut Vec<Option<Rc<Scope>>>) -> Rc<Scope> {
        if let Some(scope) = &made[at] {
            return scope.clone();
        }
        let source = &batch.graph.scopes[at];
        let parent = source.parent.map(|parent| make(worker, batch, parent, made));
        let secrets = secrets(&source.env, &batch.credentials);
        // An unchanged scope is kept: nodes that stay hold it.
        let kept = worker.scope(&source.id).filter(|scope| scope.is(source, parent.as_ref(), &secrets));
        let scope = kept.unwrap_or_else(|| {
            let scope = Scope::new(source, parent, secrets);
            scope.compute(worker.shared());
            scope
        });
        made[at] = Some(scope.clone());
        scope
    }
    (0..batch.graph.scopes.len()).map(|at| make(worker, batch, at, &mut made)).collect()
}

/// The values of variables of the kind `cred`: credentials of the tab, group or instance; of a global-config in its `map`.
fn secrets(env: &[EnvVar], credentials: &Credentials) -> FxHashMap<String, String> {
    let found = env.iter().filter(|var| var.kind == "cred").filter_map(|var| {
        let fields = credentials.get(&var.owner)?;
        let value = fields.get("map").and_then(|map| map.get(&var.name)).or_else(|| fields.get(&var.name))?;
        Some((var.name.clone(), value.as_str()?.to_owned()))
    });
    found.collect()
}

/// Builds nodes of this worker, by their index in the graph.
pub(super) fn build(worker: &Rc<Worker>, batch: &Batch, which: &[usize]) -> DeployReport {
    let mut report = DeployReport::default();
    let task = worker.task("build");
    for at in which {
        let node = &batch.graph.nodes[*at];
        // A node whose building panics is that node's problem, as with an error.
        let built = task.run(|| build_one(worker, batch, *at));
        match built.unwrap_or_else(|panicked| Err(format!("internal error: {}", panicked.text))) {
            Ok(()) => report.started += 1,
            Err(message) => report.problems.push(NodeProblem {
                id: node.config.id.clone(),
                kind: node.config.kind.clone(),
                name: node.config.name.clone(),
                tab: batch.graph.tab_name(node.scope),
                message,
            }),
        }
    }
    report
}

fn build_one(worker: &Rc<Worker>, batch: &Batch, order: usize) -> Result<(), String> {
    let node = &batch.graph.nodes[order];
    let scope = worker.scope_at(node.scope).ok_or("internal error: the node's flow is not on its worker")?;
    let shared = worker.shared();
    let found = type_of(&batch.types, &node.config.kind).or_else(|| type_of(&batch.types, "unknown"));
    let found = found.ok_or_else(|| format!("node type \"{}\" is not known", node.config.kind))?;
    let mut config = node.config.clone();
    let own_env = |name: &str| match name {
        "NR_NODE_ID" => Some(serde_json::Value::from(node.config.id.as_str())),
        "NR_NODE_NAME" => Some(serde_json::Value::from(node.config.name.as_str())),
        "NR_NODE_PATH" => Some(serde_json::Value::from(node.path.as_str())),
        _ => scope.env_var(shared, name).and_then(|value| to_json(&value)),
    };
    if names_env(&config.props) {
        let filled = substitute_env(&config.props, &own_env);
        Arc::make_mut(&mut config).props = filled.into();
    }
    let id = Str::new(&config.id);
    let credentials = batch.credentials.get(&config.id);
    let credentials = credentials.or_else(|| batch.credentials.get(node.alias.as_ref()?));
    // Node-RED expands `${NAME}` in credentials as in all other fields (flows/util.js, createNode).
    let credentials = credentials.map(|fields| substitute_env(fields, &own_env)).unwrap_or_default();
    let cx = NodeCx::new(
        worker.clone(),
        Origin {
            config,
            alias: node.alias.clone(),
            path: node.path.clone(),
            order,
            is_config: node.is_config,
            scope,
            credentials,
            users: batch.users.get(&id).cloned().unwrap_or_default(),
        },
    );
    let built = catch_unwind(AssertUnwindSafe(|| {
        Ok(match found.build(cx.clone())? {
            Built::Node(node) => node,
            Built::Config(config) => {
                shared.add_config_node(id.clone(), config.clone());
                Rc::new(ConfigSlot(config)) as Rc<dyn Node>
            }
        })
    }));
    let built = built.unwrap_or_else(|panic| Err(NodeError::new(panicked(&cx, panic.as_ref()))));
    match built {
        Ok(node) => {
            worker.insert(Slot::new(cx, node));
            Ok(())
        }
        Err(error) => {
            cx.report().log_at(Level::Error, error.text.clone().into());
            cx.report().broken(error.text.as_str());
            if !error.absent || !shared.settings().catalogue_keys {
                let inert = Inert::new(cx.clone());
                worker.insert(Slot::new(cx, Rc::new(inert)));
            }
            Err(error.text)
        }
    }
}

/// Step 1: makes the scopes of the deploy on this worker, once for all of its nodes.
pub(super) fn enter_scopes(worker: Rc<Worker>, batch: Arc<Batch>) -> LocalBoxFuture<'static, DeployReport> {
    worker.set_scopes(scopes(&worker, &batch));
    Box::pin(std::future::ready(DeployReport::default()))
}

/// Step 2, after the config nodes: builds the nodes of this worker that start, in the document's order.
pub(super) fn build_nodes(worker: Rc<Worker>, batch: Arc<Batch>) -> LocalBoxFuture<'static, DeployReport> {
    let which: Vec<usize> = (0..batch.graph.nodes.len())
        .filter(|at| {
            let node = &batch.graph.nodes[*at];
            !node.is_config && worker_of(&batch, *at) == worker.index() && batch.start.contains(node.config.id.as_str())
        })
        .collect();
    let report = build(&worker, &batch, &which);
    Box::pin(std::future::ready(report))
}

/// Step 3: wires every node of this worker anew, also those that stayed, and enters listeners into their flows.
pub(super) fn wire(worker: Rc<Worker>, batch: Arc<Batch>) -> LocalBoxFuture<'static, DeployReport> {
    let mut wired = Vec::with_capacity(batch.graph.nodes.len());
    for node in &batch.graph.nodes {
        let Some(slot) = worker.slot(&node.config.id) else { continue };
        let target = |id: &String| worker.slot(id).map(|slot| slot as Rc<dyn Receive>);
        slot.cx.out().set_wires(node.config.wires.iter().map(|ids| ids.iter().filter_map(target).collect()).collect());
        slot.cx.set_users(batch.users.get(slot.cx.id()).cloned().unwrap_or_default());
        wired.push(slot);
    }
    worker.listen(&wired);
    Box::pin(std::future::ready(DeployReport::default()))
}

/// Step 4: starts the new nodes in order and waits until they are ready.
pub(super) fn start_nodes(worker: Rc<Worker>, batch: Arc<Batch>) -> LocalBoxFuture<'static, DeployReport> {
    Box::pin(async move {
        let fresh: Vec<_> = batch
            .graph
            .nodes
            .iter()
            .filter(|node| batch.start.contains(node.config.id.as_str()))
            .filter_map(|node| worker.slot(&node.config.id))
            .collect();
        for slot in &fresh {
            slot.start();
        }
        // Most are ready at once: nothing waits for those.
        let waiting = fresh.iter().filter_map(|slot| {
            let mut ready = slot.node()?.ready();
            (&mut ready).now_or_never().is_none().then_some(ready)
        });
        let waiting: Vec<_> = waiting.collect();
        join_all(waiting.into_iter().map(|ready| async move {
            let _ = tokio::time::timeout(READY_LIMIT, ready).await;
        }))
        .await;
        DeployReport::default()
    })
}

#[cfg(test)]
mod tests {
    use flotilla_flows::{Document, expand};

    use super::*;

    #[test]
    fn config_nodes_come_after_those_that_they_refer_to_in_runs_on_one_worker() {
        let text =
            r#"[{"id":"a","type":"x","of":"c"},{"id":"b","type":"x"},{"id":"c","type":"x"},{"id":"d","type":"x"}]"#;
        let places = [("a", 0), ("b", 1), ("c", 0), ("d", 1)];
        let batch = Batch {
            types: NodeTypes::default(),
            graph: expand(&Document::parse(text).unwrap()).graph,
            credentials: Credentials::default(),
            users: FxHashMap::default(),
            start: places.iter().map(|(id, _)| Str::new(id)).collect(),
            workers: places.iter().map(|(id, worker)| (Str::new(id), *worker)).collect(),
        };
        assert_eq!(config_runs(&batch), [(0, vec![2, 0]), (1, vec![1, 3])]);
    }
}
