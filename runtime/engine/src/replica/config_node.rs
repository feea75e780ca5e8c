//! Config nodes, which nodes of all workers share.

use std::any::Any;

use flotilla_value::Value;
use futures::future::BoxFuture;

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
