//! A node that could not start: it is there, so that it has a status and an id, and works on nothing.

use crate::message::Msg;

use super::cx::NodeCx;
use super::node::Node;

/// Refuses what it is sent: see [`NodeCx::refuse`].
pub struct Inert {
    cx: NodeCx,
}

impl Inert {
    /// In the place of a node that said why it cannot start.
    pub fn new(cx: NodeCx) -> Inert {
        Inert { cx }
    }
}

impl Node for Inert {
    fn receive(&self, msg: Msg) {
        self.cx.refuse(&msg);
    }
}
