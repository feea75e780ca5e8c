//! A node that could not start: it is there, so that it has a status and an id, and does nothing, as in Node-RED.

use crate::message::Msg;

use super::node::Node;

/// Swallows what it is sent.
pub struct Inert;

impl Node for Inert {
    fn receive(&self, _msg: Msg) {}
}
