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
/// those of the environment that it names. `text` is room to write in, for the next node too.
fn print_of(
    graph: &Graph,
    node: &GraphNode,
    credentials: Option<&serde_json::Map<String, serde_json::Value>>,
    environment: &Environment,
    text: &mut Vec<u8>,
) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.clear();
    for (key, value) in node.config.props.iter() {
        if !matches!(key.as_str(), "x" | "y" | "w" | "h" | "wires") {
            key.hash(&mut hasher);
            write(value, text).hash(&mut hasher);
        }
    }
    credentials.is_some().hash(&mut hasher);
    if let Some(fields) = credentials {
        write(fields, text).hash(&mut hasher);
    }
    let mut at = Some(node.scope);
    while let Some(scope) = at {
        let scope = &graph.scopes[scope];
        scope.id.hash(&mut hasher);
        for var in &scope.env {
            (&var.name, &var.kind).hash(&mut hasher);
            write(&var.value, text).hash(&mut hasher);
        }
        at = scope.parent;
    }
    // Some of what a node reads of the environment it reads when it starts. All of it names the variable, but for the time
    // zone.
    let text = if environment.is_empty() { "" } else { std::str::from_utf8(text).unwrap_or_default() };
    for (name, value) in environment {
        if name == "TZ" || text.contains(name.as_str()) {
            (name, value).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Adds a value to the text, behind a byte that is in no JSON and in no name: no name is found across two values.
fn write<'a>(value: &impl serde::Serialize, text: &'a mut Vec<u8>) -> &'a [u8] {
    text.push(0);
    let from = text.len();
    // To a vector in memory; JSON is always JSON.
    let _ = serde_json::to_writer(&mut *text, value);
    &text[from..]
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
        next.prints.reserve(graph.nodes.len());
        next.roots.reserve(graph.nodes.len());
        next.workers.reserve(graph.nodes.len());
        let mut text = Vec::new();
        for node in &graph.nodes {
            let id = Str::new(&node.config.id);
            let own = credentials.get(&node.config.id).or_else(|| credentials.get(node.alias.as_ref()?));
            next.prints.insert(id.clone(), print_of(graph, node, own, environment, &mut text));
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

#[cfg(test)]
mod tests {
    use flotilla_flows::{Document, expand};
    use serde_json::json;

    use super::*;

    fn print(node: &serde_json::Value, environment: &[(&str, &str)]) -> u64 {
        let document = Document::from_value(json!([{"id": "t", "type": "tab"}, node])).unwrap();
        let graph = expand(&document).graph;
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
        // What is left of another node changes nothing.
        print_of(&graph, &graph.nodes[0], None, &environment, &mut b"of another".to_vec())
    }

    #[test]
    fn a_print_changes_with_the_fields_and_with_the_variables_that_they_name() {
        let node =
            |field: &str| json!({"id": "n", "type": "x", "z": "t", "x": 1, "y": 1, "wires": [["a"]], "f": field});
        let first = print(&node("${HOST}"), &[("HOST", "a"), ("OTHER", "1")]);
        let moved = json!({"id": "n", "type": "x", "z": "t", "x": 7, "y": 7, "wires": [], "f": "${HOST}"});
        assert_eq!(print(&moved, &[("HOST", "a"), ("OTHER", "2")]), first);
        assert_ne!(print(&node("${HOST}"), &[("HOST", "b"), ("OTHER", "1")]), first);
        assert_ne!(print(&node("${HOST} "), &[("HOST", "a"), ("OTHER", "1")]), first);
        let zone = print(&node("f"), &[("TZ", "Europe/Berlin")]);
        assert_ne!(print(&node("f"), &[("TZ", "UTC")]), zone);
    }
}
