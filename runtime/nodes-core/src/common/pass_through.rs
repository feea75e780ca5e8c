//! Nodes that hand on what they get: catch, complete, junction, status. The engine brings catch, complete and status their
//! messages.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};

/// Takes errors.
pub const CATCH: Stateless = Stateless::node("catch", build);
/// Takes messages that other nodes are through with.
pub const COMPLETE: Stateless = Stateless::node("complete", build);
/// Joins wires.
pub const JUNCTION: Stateless = Stateless::node("junction", build);
/// Takes statuses.
pub const STATUS: Stateless = Stateless::node("status", build);

struct PassThrough(NodeCx);

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(PassThrough(cx)))
}

impl Node for PassThrough {
    fn receive(&self, msg: Msg) {
        self.0.out().send(msg.clone());
        self.0.report().done(&msg);
    }
}
