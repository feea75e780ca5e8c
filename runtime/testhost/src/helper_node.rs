//! The node type `helper`: takes messages and keeps quiet; the host shows what arrives.

use std::rc::Rc;
use std::sync::OnceLock;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, NodeType};
use flotilla_runtime::TYPES;

struct Helper;

impl Node for Helper {
    fn receive(&self, _msg: Msg) {}
}

fn build(_cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(Helper))
}

/// The node types of the product and `helper`.
pub(super) fn types() -> &'static [NodeType] {
    static ALL: OnceLock<Vec<NodeType>> = OnceLock::new();
    ALL.get_or_init(|| TYPES.iter().copied().chain([NodeType::node("helper", build)]).collect())
}
