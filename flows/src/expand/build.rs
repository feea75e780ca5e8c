//! Tabs, groups and nodes to a graph.
//!
//! Source: `parseConfig` of Node-RED's `flows/util.js`, `Flow.js` and `Group.js`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::choices::unknown_choices;
use crate::document::{Document, NodeConfig};
use crate::problem::{Problem, Severity};

use super::graph::{EnvVar, Graph, GraphNode, Scope, ScopeKind};
use super::{instance, project_links};

/// A graph, and what is wrong with the document. With an error among the problems it must not run.
#[derive(Clone, Debug, Default)]
pub struct Expanded {
    /// The graph.
    pub graph: Graph,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// The graph in the making.
pub(super) struct Builder<'a> {
    pub(super) document: &'a Document,
    pub(super) graph: Graph,
    pub(super) problems: Vec<Problem>,
    /// What stands in each tab and subflow, by its id.
    pub(super) contents: HashMap<&'a str, Vec<&'a NodeConfig>>,
}

/// Where nodes are added: a tab, the global scope or a subflow instance.
#[derive(Clone)]
pub(super) struct Place {
    /// The flow's scope.
    pub(super) scope: usize,
    /// The flow's path.
    pub(super) path: String,
    /// Scopes of the groups in this flow, by id.
    pub(super) groups: HashMap<String, usize>,
}

/// True for entries that are not nodes.
fn is_container(entry: &NodeConfig) -> bool {
    matches!(entry.kind.as_str(), "tab" | "subflow" | "group")
}

/// Node-RED: an entry without a place in the workspace is a config node.
fn is_config(entry: &NodeConfig) -> bool {
    !entry.props.contains_key("x") && !entry.props.contains_key("y")
}

/// The variables of the global-config nodes; of two with the same name the later one counts.
fn global_env(document: &Document) -> Vec<EnvVar> {
    let mut env: Vec<EnvVar> = Vec::new();
    for config in document.entries().iter().filter(|entry| entry.kind == "global-config" && !entry.disabled) {
        for var in EnvVar::read(config) {
            env.retain(|known| known.name != var.name);
            env.push(var);
        }
    }
    env
}

/// Unfolds a document. Disabled tabs and nodes are left out; nodes on a tab that is not in the document run as if it
/// were, as in Node-RED.
pub fn expand(document: &Document) -> Expanded {
    let mut contents: HashMap<&str, Vec<&NodeConfig>> = HashMap::new();
    for entry in document.entries().iter().filter(|entry| !matches!(entry.kind.as_str(), "tab" | "subflow")) {
        contents.entry(&entry.z).or_default().push(entry);
    }
    let mut builder = Builder { document, graph: Graph::default(), problems: Vec::new(), contents };
    builder.graph.nodes.reserve(document.entries().len());
    builder.graph.scopes.push(Scope {
        id: "global".to_owned(),
        kind: ScopeKind::Global,
        parent: None,
        name: String::new(),
        env: global_env(document),
    });
    builder.tabs();
    builder.choices();
    let Builder { mut graph, problems, .. } = builder;
    project_links::connect(&mut graph);
    Expanded { graph, problems }
}

impl<'a> Builder<'a> {
    fn tabs(&mut self) {
        let document = self.document;
        let mut places: HashMap<&str, Place> = HashMap::new();
        places.insert("", Place { scope: 0, path: "global".to_owned(), groups: HashMap::new() });
        for tab in document.entries().iter().filter(|entry| entry.kind == "tab" && !entry.disabled) {
            let env = EnvVar::read(tab);
            let scope = self.scope(&tab.id, ScopeKind::Tab, 0, &tab.name, env);
            places.insert(&tab.id, Place { scope, path: tab.id.clone(), groups: HashMap::new() });
        }
        for entry in document.entries() {
            let absent = !entry.z.is_empty() && document.get(&entry.z).is_none();
            if absent && !places.contains_key(entry.z.as_str()) {
                let scope = self.scope(&entry.z, ScopeKind::Tab, 0, "", Vec::new());
                places.insert(&entry.z, Place { scope, path: entry.z.clone(), groups: HashMap::new() });
            }
        }
        for (id, place) in &mut places {
            let entries = self.contents.get(id).cloned().unwrap_or_default();
            self.groups(place, entries.into_iter());
        }
        for entry in document.entries().iter().filter(|entry| !is_container(entry)) {
            // Nodes on a disabled tab or inside a definition have no place here.
            let Some(place) = places.get(entry.z.as_str()) else { continue };
            self.node(entry.clone(), None, place, &mut Vec::new());
        }
    }

    pub(super) fn scope(&mut self, id: &str, kind: ScopeKind, parent: usize, name: &str, env: Vec<EnvVar>) -> usize {
        let scope = Scope { id: id.to_owned(), kind, parent: Some(parent), name: name.to_owned(), env };
        self.graph.scopes.push(scope);
        self.graph.scopes.len() - 1
    }

    /// Adds the scopes of the groups among these entries. A group inside a group comes after it.
    pub(super) fn groups(&mut self, place: &mut Place, entries: impl Iterator<Item = &'a NodeConfig>) {
        let groups: Vec<NodeConfig> = entries.filter(|entry| entry.kind == "group").cloned().collect();
        self.group_scopes(place, groups);
    }

    pub(super) fn group_scopes(&mut self, place: &mut Place, mut groups: Vec<NodeConfig>) {
        while !groups.is_empty() {
            let waits = |group: &NodeConfig| groups.iter().any(|other| other.id == group.g && other.id != group.id);
            let (later, now): (Vec<_>, Vec<_>) = groups.iter().cloned().partition(waits);
            // Groups that contain each other in a circle: none can go first, so all stand in the flow.
            let (now, later) = if now.is_empty() { (later, Vec::new()) } else { (now, later) };
            for group in now {
                let parent = place.groups.get(&group.g).copied().unwrap_or(place.scope);
                let env = EnvVar::read(&group);
                let scope = self.scope(&group.id, ScopeKind::Group, parent, &group.name, env);
                place.groups.insert(group.id, scope);
            }
            groups = later;
        }
    }

    /// Adds a node, and what is inside it when it is a subflow instance. `stack` holds the definitions around it.
    pub(super) fn node(&mut self, config: NodeConfig, alias: Option<String>, place: &Place, stack: &mut Vec<String>) {
        if config.disabled {
            return;
        }
        let scope = place.groups.get(&config.g).copied().unwrap_or(place.scope);
        let path = format!("{}/{}", place.path, alias.as_ref().unwrap_or(&config.id));
        if let Some(definition) = config.kind.strip_prefix("subflow:") {
            let definition = definition.to_owned();
            instance::add(self, config, alias, &definition, &path, scope, stack);
            return;
        }
        let is_config = is_config(&config);
        let config = Arc::new(config);
        self.graph.nodes.push(GraphNode { config, scope, alias, path, is_config });
    }

    /// Refuses what a newer editor may have written.
    fn choices(&mut self) {
        let off = |id: &str| self.document.get(id).is_some_and(|tab| tab.disabled);
        let entries = self.document.entries().iter().filter(|entry| !entry.disabled && !off(&entry.z));
        let unknown: Vec<_> =
            entries.flat_map(|entry| unknown_choices(entry).into_iter().map(move |found| (entry, found))).collect();
        for (entry, (field, message)) in unknown {
            self.error(entry, field, message);
        }
    }

    /// As [`Builder::error`], for what thousands of nodes would have in common.
    pub(super) fn error_once(&mut self, node: &NodeConfig, field: &'static str, message: String) {
        if !self.problems.iter().any(|problem| problem.message == message) {
            self.error(node, field, message);
        }
    }

    pub(super) fn error(&mut self, node: &NodeConfig, field: &'static str, message: String) {
        self.problems.push(Problem {
            severity: Severity::Error,
            node: node.id.clone(),
            name: node.name.clone(),
            field,
            message,
        });
    }
}
