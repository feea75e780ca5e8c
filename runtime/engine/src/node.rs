//! What a node is to the engine.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use flotilla_flows::NodeConfig;
use futures::future::{BoxFuture, LocalBoxFuture};

use crate::message::Msg;
use flotilla_value::{ErrorValue, Value};

use super::cx::NodeCx;

/// A node of a flow. It lives on one worker thread, owns its state (`Cell`, `RefCell`) and needs no locks.
pub trait Node: Any {
    /// Handles a message, inline. Work that waits is spawned with [`NodeCx::spawn`] and holds the message while it does.
    /// When it is through with the message it calls [`NodeCx::done`], or [`NodeCx::error`] with it.
    fn receive(&self, msg: Msg);

    /// Called once, in order of the flow document, when every node of the deploy is built and wired.
    fn start(&self) {}

    /// Ready when sockets are bound and so on; a deploy waits for it, bounded.
    fn ready(&self) -> LocalBoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// The flow stops taking work (drain, or the node is about to be closed): stop what brings messages in, keep what
    /// finishes those that are here.
    fn drain(&self) {}

    /// Takes work again after [`Node::drain`]: the node stays in the next revision. Nothing to do for one that was not
    /// drained.
    fn resume(&self) -> LocalBoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Stops the node. `removed`: it is gone from the flow, not restarted. Bounded by Node-RED's close time-out.
    /// Tasks spawned with [`NodeCx::spawn`] are ended by the engine after this.
    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// A config node (`mqtt-broker`, `tls-config`, ...): shared by nodes of all tabs, so of all workers.
/// Its tasks run on the worker it was built on.
pub trait ConfigNode: Any + Send + Sync {
    /// Called once when every node of the deploy is built.
    fn start(&self) {}

    /// Ready when sockets are bound and so on; a deploy waits for it, bounded.
    fn ready(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Its credentials were replaced while it runs; those of the names that it knows are looked up here.
    fn set_credentials(&self, _credential: &dyn Fn(&str) -> Option<String>) {}

    /// Stop taking work; keep what finishes the work that is here.
    fn drain(&self) {}

    /// Take work again after [`ConfigNode::drain`].
    fn resume(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// What it says of its state to whoever looks from outside, for example `{connected, connecting}`.
    fn inspect(&self) -> Value {
        Value::Undefined
    }

    /// Stops the node.
    fn close(&self, _removed: bool) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Why a node cannot start. The rest of the flow runs; the deploy names the node and says this.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct NodeError {
    /// What is wrong, for people.
    pub text: String,
    /// True when there is no node at all then; else one that does nothing stands in its place, as in Node-RED.
    pub absent: bool,
}

impl NodeError {
    /// An error with a text.
    pub fn new(text: impl Into<String>) -> NodeError {
        NodeError { text: text.into(), absent: false }
    }

    /// An error for which Node-RED's constructor throws: there is no node, and what is sent to it ends there.
    pub fn absent(text: impl Into<String>) -> NodeError {
        NodeError { text: text.into(), absent: true }
    }
}

impl From<NodeError> for Value {
    fn from(error: NodeError) -> Value {
        Value::Error(Arc::new(ErrorValue::new(error.text)))
    }
}

/// How a node type is built. Called on the node's worker; the configuration has its `${ENV}` filled in.
#[derive(Clone, Copy)]
pub enum Build {
    /// A node that takes messages.
    Node(fn(NodeCx) -> Result<Rc<dyn Node>, NodeError>),
    /// A config node.
    Config(fn(NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError>),
}

/// An operator's switch (`--deny`) for a node type.
#[derive(Clone, Copy)]
pub struct Deny {
    /// The operator's word: `exec`, `file`, `tcp-listen`, ...
    pub word: &'static str,
    /// Whether the switch is meant for a node that is configured so.
    pub applies: fn(&NodeConfig) -> bool,
}

/// A row of the table of node types.
#[derive(Clone, Copy)]
pub struct NodeType {
    /// The type's name in flow documents, for example `mqtt in`.
    pub name: &'static str,
    /// The operator's switch for it, if it reaches beyond the flow.
    pub deny: Option<Deny>,
    /// How it is built.
    pub build: Build,
}

impl NodeType {
    /// A node type that takes messages.
    pub const fn node(name: &'static str, build: fn(NodeCx) -> Result<Rc<dyn Node>, NodeError>) -> NodeType {
        NodeType { name, deny: None, build: Build::Node(build) }
    }

    /// A config node type.
    pub const fn config(name: &'static str, build: fn(NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError>) -> NodeType {
        NodeType { name, deny: None, build: Build::Config(build) }
    }

    /// The same type under an operator's switch.
    pub const fn denied_as(self, word: &'static str) -> NodeType {
        self.denied_when(word, |_| true)
    }

    /// The same type under an operator's switch that is meant only for nodes with some configurations: those that listen.
    /// The configuration is as in the flow document: `${ENV}` is not filled in yet.
    pub const fn denied_when(self, word: &'static str, applies: fn(&NodeConfig) -> bool) -> NodeType {
        NodeType { deny: Some(Deny { word, applies }), ..self }
    }
}
