//! Node types, and the table of those that flows may use.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_flows::NodeConfig;
use indexmap::IndexMap;

use crate::replica::ConfigNode;

use super::contract::{Node, NodeError};
use super::cx::NodeCx;

/// A node type. It is a value, so that it may have state of its own: a type that a project defines has its source, one that
/// is an npm package has its host process. One that has none is a [`Stateless`](super::Stateless).
pub trait NodeType: Send + Sync {
    /// The type's name in flow documents, for example `mqtt in`.
    fn name(&self) -> &str;

    /// The operator's switch (`--deny`) for it, if it reaches beyond the flow: `exec`, `file`, `tcp-listen`, ...
    fn deny(&self) -> Option<&str> {
        None
    }

    /// Whether the switch is meant for a node that is configured so. The configuration is as in the flow document: `${ENV}`
    /// is not filled in yet.
    fn is_denied(&self, config: &NodeConfig) -> bool {
        let _ = config;
        true
    }

    /// Builds a node. Called on the node's worker; the configuration has its `${ENV}` filled in.
    ///
    /// # Errors
    /// When the node cannot start, for example because its configuration is wrong. The rest of the flow starts.
    fn build(&self, cx: NodeCx) -> Result<Built, NodeError>;
}

/// A node that was built.
pub enum Built {
    /// One that takes messages.
    Node(Rc<dyn Node>),
    /// A config node.
    Config(Arc<dyn ConfigNode>),
}

/// The node types that flows may use, by name, in the order in which they were added. Cloning is cheap enough for once per
/// engine: the types are shared.
#[derive(Clone, Default)]
pub struct NodeTypes(IndexMap<String, Arc<dyn NodeType>>);

impl NodeTypes {
    /// Adds a type, in the place of one with the same name.
    pub fn add(&mut self, added: Arc<dyn NodeType>) {
        self.0.insert(added.name().to_owned(), added);
    }

    /// The type of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn NodeType>> {
        self.0.get(name)
    }

    /// True when there is a type of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All types.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn NodeType>> {
        self.0.values()
    }

    /// The names of all types.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<Arc<dyn NodeType>> for NodeTypes {
    fn from_iter<I: IntoIterator<Item = Arc<dyn NodeType>>>(types: I) -> NodeTypes {
        let mut all = NodeTypes::default();
        types.into_iter().for_each(|added| all.add(added));
        all
    }
}
