//! Nodes that hand on what they get: catch, complete, junction, status. The engine brings catch, complete and status their
//! messages.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, NodeType};

/// Takes errors.
pub const CATCH: NodeType = NodeType::node("catch", build);
/// Takes messages that other nodes are through with.
pub const COMPLETE: NodeType = NodeType::node("complete", build);
/// Joins wires.
pub const JUNCTION: NodeType = NodeType::node("junction", build);
/// Takes statuses.
pub const STATUS: NodeType = NodeType::node("status", build);

struct PassThrough(NodeCx);

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(PassThrough(cx)))
}

impl Node for PassThrough {
    fn receive(&self, msg: Msg) {
        self.0.send(msg.clone());
        self.0.done(&msg);
    }
}
