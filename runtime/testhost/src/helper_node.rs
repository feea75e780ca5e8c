//! The node type `helper`: takes messages and keeps quiet; the host shows what arrives.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, NodeTypes, Stateless};

struct Helper;

impl Node for Helper {
    fn receive(&self, _msg: Msg) {}
}

fn build(_cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(Helper))
}

/// The node types of the product and `helper`.
pub(super) fn types() -> NodeTypes {
    let mut types = flotilla_runtime::types();
    types.extend([Stateless::node("helper", build)]);
    types
}
