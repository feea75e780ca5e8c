//! What a node is to the engine.

use std::any::Any;
use std::sync::Arc;

use futures::future::{BoxFuture, LocalBoxFuture};

use crate::message::Msg;
use flotilla_value::{ErrorValue, Value};

/// A node of a flow. It lives on one worker thread, owns its state (`Cell`, `RefCell`) and needs no locks.
pub trait Node: Any {
    /// Handles a message, inline. Work that waits is spawned with [`NodeCx::spawn`](crate::NodeCx::spawn) and holds the message while it does.
    /// When it is through with the message it calls [`NodeCx::done`](crate::NodeCx::done), or [`NodeCx::error`] with it.
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
    /// Tasks spawned with [`NodeCx::spawn`](crate::NodeCx::spawn) are ended by the engine after this.
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
