//! What a node is to the engine.

use std::any::Any;
use std::sync::Arc;

use futures::future::LocalBoxFuture;

use crate::message::Msg;
use flotilla_value::{ErrorValue, Value};

/// A node of a flow. It lives on one worker thread, owns its state (`Cell`, `RefCell`) and needs no locks.
pub trait Node: Any {
    /// Handles a message, inline. Work that waits is spawned with [`Work::spawn`](super::Work::spawn) and holds the message
    /// while it does. When the node is through with the message it calls [`Reporter::done`](super::Reporter::done), or
    /// [`Reporter::error`](super::Reporter::error) with it.
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

    /// Takes back the answer to a call that the node made by sending a message to a link in node: a link out node in return
    /// mode hands it over, with the id of the call. False for nodes that make no calls.
    fn take_return(&self, _call: &str, _msg: Msg) -> bool {
        false
    }

    /// Stops the node. `removed`: it is gone from the flow, not restarted. Bounded by Node-RED's close time-out.
    /// Tasks spawned with [`Work::spawn`](super::Work::spawn) are ended by the engine after this.
    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
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
