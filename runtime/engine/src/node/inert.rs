//! A node that could not start: it is there, so that it has a status and an id, and works on nothing.

use crate::message::Msg;

use super::contract::Node;
use super::cx::NodeCx;

/// Refuses what it is sent: see [`Reporter::refuse`](super::Reporter::refuse).
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
        self.cx.report().refuse(&msg);
    }
}
