//! A node type that is code alone.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_flows::NodeConfig;

use crate::replica::ConfigNode;

use super::contract::{Node, NodeError};
use super::cx::NodeCx;
use super::types::{Built, NodeType, NodeTypes};

/// A node type without a state of its own: a name and a function that builds its nodes.
#[derive(Clone, Copy)]
pub struct Stateless {
    name: &'static str,
    deny: Option<Deny>,
    build: Build,
}

#[derive(Clone, Copy)]
enum Build {
    Node(fn(NodeCx) -> Result<Rc<dyn Node>, NodeError>),
    Config(fn(NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError>),
}

#[derive(Clone, Copy)]
struct Deny {
    word: &'static str,
    applies: fn(&NodeConfig) -> bool,
}

impl Stateless {
    /// A node type that takes messages.
    pub const fn node(name: &'static str, build: fn(NodeCx) -> Result<Rc<dyn Node>, NodeError>) -> Stateless {
        Stateless { name, deny: None, build: Build::Node(build) }
    }

    /// A config node type.
    pub const fn config(name: &'static str, build: fn(NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError>) -> Stateless {
        Stateless { name, deny: None, build: Build::Config(build) }
    }

    /// The same type under an operator's switch.
    pub const fn denied_as(self, word: &'static str) -> Stateless {
        self.denied_when(word, |_| true)
    }

    /// The same type under an operator's switch that is meant only for nodes with some configurations: those that listen.
    /// See [`NodeType::is_denied`].
    pub const fn denied_when(self, word: &'static str, applies: fn(&NodeConfig) -> bool) -> Stateless {
        Stateless { deny: Some(Deny { word, applies }), ..self }
    }
}

impl NodeType for Stateless {
    fn name(&self) -> &str {
        self.name
    }

    fn deny(&self) -> Option<&str> {
        self.deny.map(|deny| deny.word)
    }

    fn is_denied(&self, config: &NodeConfig) -> bool {
        self.deny.is_some_and(|deny| (deny.applies)(config))
    }

    fn build(&self, cx: NodeCx) -> Result<Built, NodeError> {
        match self.build {
            Build::Node(build) => build(cx).map(Built::Node),
            Build::Config(build) => build(cx).map(Built::Config),
        }
    }
}

impl Extend<Stateless> for NodeTypes {
    fn extend<I: IntoIterator<Item = Stateless>>(&mut self, types: I) {
        types.into_iter().for_each(|added| self.add(Arc::new(added)));
    }
}

impl FromIterator<Stateless> for NodeTypes {
    fn from_iter<I: IntoIterator<Item = Stateless>>(types: I) -> NodeTypes {
        let mut all = NodeTypes::default();
        all.extend(types);
        all
    }
}
