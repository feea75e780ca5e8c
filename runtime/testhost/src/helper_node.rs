//! The node type `helper`: takes messages and keeps quiet; the host shows what arrives.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, NodeTypes, Stateless};

struct Helper(NodeCx);

impl Node for Helper {
    /// Shown from here, not by a tap: one is set when the deploy is done, and On Start code sends before.
    fn receive(&self, msg: Msg) {
        self.0.shared().observer().input(self.0.id(), &msg);
    }
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(Helper(cx)))
}

/// The node types of the product and `helper`.
pub(super) fn types() -> NodeTypes {
    let mut types = flotilla_runtime::types();
    types.extend([Stateless::node("helper", build)]);
    types
}
