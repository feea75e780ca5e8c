//! The graph that runs.

use std::sync::Arc;

use serde_json::Value;

use crate::document::NodeConfig;

/// What runs. Scope 0 is the global one.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Tabs, subflow instances, groups and the global scope; a parent comes before its children.
    pub scopes: Vec<Scope>,
    /// Every node that runs, config nodes included, in the document's order; the nodes of a subflow instance follow it.
    ///
    /// A subflow instance is a node of type `subflow:ID` whose wires lead to the nodes at the subflow's inputs. The nodes
    /// at its outputs are wired straight to where the instance's outputs lead, as in Node-RED. A status output is a node
    /// `INSTANCE:status` of type `subflow-status`.
    pub nodes: Vec<GraphNode>,
}

/// A tab, a subflow instance, a group, or everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The id: `global`, the tab's, the instance's, the group's.
    pub id: String,
    /// What it is.
    pub kind: ScopeKind,
    /// The scope around it, by index.
    pub parent: Option<usize>,
    /// Its name, or empty.
    pub name: String,
    /// Its environment variables.
    pub env: Vec<EnvVar>,
}

/// What a scope is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// Everything.
    Global,
    /// A tab.
    Tab,
    /// One instance of a subflow.
    Subflow {
        /// The instance's id.
        instance: String,
        /// The definition's id.
        definition: String,
    },
    /// A group.
    Group,
}

/// An environment variable of a tab, group, subflow or instance.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its type in the editor: `str`, `num`, `bool`, `json`, `bin`, `env`, `jsonata`, `cred`, ...
    pub kind: String,
    /// Its value as the editor wrote it.
    pub value: Value,
    /// The document entry that defines it: its credentials hold the values of the kind `cred`.
    pub owner: String,
}

/// A node that runs.
#[derive(Clone, Debug)]
pub struct GraphNode {
    /// Its configuration: inside a subflow instance with the instance's own ids. The node that runs keeps it.
    pub config: Arc<NodeConfig>,
    /// The innermost scope: a group, or the tab or subflow instance itself.
    pub scope: usize,
    /// Inside a subflow instance: the id in the definition (Node-RED's `_alias`).
    pub alias: Option<String>,
    /// Node-RED's path: `tab/instance/.../id`, with the ids of definitions.
    pub path: String,
    /// True without a place in the workspace: a config node.
    pub is_config: bool,
}

impl Graph {
    /// The name of the tab around a scope, for messages to people.
    pub fn tab_name(&self, scope: usize) -> String {
        let mut at = self.scopes.get(scope);
        while let Some(scope) = at {
            if matches!(scope.kind, ScopeKind::Tab) {
                return if scope.name.is_empty() { scope.id.clone() } else { scope.name.clone() };
            }
            at = scope.parent.and_then(|parent| self.scopes.get(parent));
        }
        "(global)".to_owned()
    }
}

impl EnvVar {
    /// Reads the `env` field of a document entry; variables without a name are left out.
    pub(super) fn read(owner: &NodeConfig) -> Vec<EnvVar> {
        let Some(Value::Array(entries)) = owner.get("env") else { return Vec::new() };
        entries
            .iter()
            .filter_map(|entry| {
                let name = entry.get("name")?.as_str()?.to_owned();
                let kind = entry.get("type").and_then(Value::as_str).unwrap_or("str").to_owned();
                let value = entry.get("value").cloned().unwrap_or(Value::Null);
                Some(EnvVar { name, kind, value, owner: owner.id.clone() })
            })
            .collect()
    }
}
