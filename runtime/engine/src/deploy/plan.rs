//! What a deploy changes: which nodes stop, which start, which stay.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use flotilla_flows::{DeployType, Graph, GraphNode};
use rustc_hash::{FxHashMap, FxHashSet};

use flotilla_value::Str;

use super::place::Places;

/// The running graph and what is needed to compare the next one with it.
#[derive(Default)]
pub(super) struct Running {
    pub(super) prints: FxHashMap<Str, u64>,
    pub(super) roots: FxHashMap<Str, Str>,
    pub(super) workers: FxHashMap<Str, usize>,
    pub(super) places: Places,
}

/// What a deploy does to each node.
pub(super) struct Plan {
    pub(super) stop: Vec<(Str, usize, bool)>,
    pub(super) start: FxHashSet<Str>,
    pub(super) next: Running,
}

fn root_of(graph: &Graph, node: &GraphNode) -> Str {
    let mut at = node.scope;
    while let Some(parent) = graph.scopes[at].parent.filter(|parent| graph.scopes[*parent].parent.is_some()) {
        at = parent;
    }
    Str::new(&graph.scopes[at].id)
}

/// The revision's environment variables, by name.
pub(super) type Environment = BTreeMap<String, Option<String>>;

/// Two prints are equal when the node need not restart: everything but position and wires, the variables around it, and
/// those of the environment that it names.
fn print_of(
    graph: &Graph,
    node: &GraphNode,
    credentials: Option<&serde_json::Map<String, serde_json::Value>>,
    environment: &Environment,
) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut texts = Vec::new();
    for (key, value) in &node.config.props {
        if !matches!(key.as_str(), "x" | "y" | "w" | "h" | "wires") {
            let text = value.to_string();
            (key, &text).hash(&mut hasher);
            texts.push(text);
        }
    }
    let credentials = credentials.map(|map| serde_json::to_string(map).unwrap_or_default());
    credentials.hash(&mut hasher);
    texts.extend(credentials);
    let mut at = Some(node.scope);
    while let Some(scope) = at {
        let scope = &graph.scopes[scope];
        scope.id.hash(&mut hasher);
        for var in &scope.env {
            let text = var.value.to_string();
            (&var.name, &var.kind, &text).hash(&mut hasher);
            texts.push(text);
        }
        at = scope.parent;
    }
    // Some of what a node reads of the environment it reads when it starts. All of it names the variable, but for the time
    // zone.
    for (name, value) in environment {
        if name == "TZ" || texts.iter().any(|text| text.contains(name.as_str())) {
            (name, value).hash(&mut hasher);
        }
    }
    hasher.finish()
}

impl Plan {
    /// Compares what runs with what is to run.
    pub(super) fn new(
        running: &Running,
        graph: &Graph,
        places: Places,
        users: &FxHashMap<Str, Vec<Str>>,
        credentials: &FxHashMap<String, serde_json::Map<String, serde_json::Value>>,
        environment: &Environment,
        mode: DeployType,
    ) -> Plan {
        let mut next = Running { places, ..Running::default() };
        for node in &graph.nodes {
            let id = Str::new(&node.config.id);
            let own = credentials.get(&node.config.id).or_else(|| credentials.get(node.alias.as_ref()?));
            next.prints.insert(id.clone(), print_of(graph, node, own, environment));
            next.roots.insert(id.clone(), root_of(graph, node));
            next.workers.insert(id, next.places.of(node));
        }
        let mut restart: FxHashSet<Str> = next
            .prints
            .iter()
            .filter(|(id, print)| {
                running.prints.get(*id) != Some(print) || running.workers.get(*id) != next.workers.get(*id)
            })
            .map(|(id, _)| id.clone())
            .collect();
        let removed = || running.prints.keys().filter(|id| !next.prints.contains_key(*id));
        match mode {
            DeployType::Full => restart.extend(next.prints.keys().cloned()),
            DeployType::Flows => {
                let changed: FxHashSet<Str> = restart
                    .iter()
                    .filter_map(|id| next.roots.get(id))
                    .chain(removed().filter_map(|id| running.roots.get(id)))
                    .cloned()
                    .collect();
                restart.extend(next.roots.iter().filter(|(_, root)| changed.contains(*root)).map(|(id, _)| id.clone()));
            }
            DeployType::Nodes => {}
        }
        // Whoever uses a config node that restarts holds the old one: it restarts too.
        let mut queue: Vec<Str> = restart.iter().cloned().collect();
        while let Some(id) = queue.pop() {
            for user in users.get(&id).into_iter().flatten() {
                if restart.insert(user.clone()) {
                    queue.push(user.clone());
                }
            }
        }
        let gone = removed().map(|id| (id.clone(), true));
        let again = restart.iter().filter(|id| running.prints.contains_key(*id)).map(|id| (id.clone(), false));
        let stop = gone.chain(again).filter_map(|(id, removed)| {
            let worker = *running.workers.get(&id)?;
            Some((id, worker, removed))
        });
        Plan { stop: stop.collect(), start: restart.clone(), next }
    }
}
