//! A config node in the place of a node.

use std::sync::Arc;

use futures::future::LocalBoxFuture;

use crate::message::Msg;
use crate::node::Node;
use crate::replica::ConfigNode;

/// A config node in the place of a node, so that it closes and drains like one.
pub(super) struct ConfigSlot(pub(super) Arc<dyn ConfigNode>);

impl Node for ConfigSlot {
    fn receive(&self, _msg: Msg) {}

    fn start(&self) {
        self.0.start();
    }

    fn ready(&self) -> LocalBoxFuture<'static, ()> {
        self.0.ready()
    }

    fn drain(&self) {
        self.0.drain();
    }

    fn resume(&self) -> LocalBoxFuture<'static, ()> {
        self.0.resume()
    }

    fn close(&self, removed: bool) -> LocalBoxFuture<'static, ()> {
        self.0.close(removed)
    }
}
