//! The product's node types, with those that reach out isolated.

use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use flotilla_engine::{Build, ConfigNode, Node, NodeCx, NodeError, NodeType};
use flotilla_runtime::TYPES;

use super::isolated;
use super::isolation::Isolation;
use super::role::Role;

/// The rows of the product's table; isolated types are built here, and for live nodes as the product does.
pub(crate) fn types() -> &'static [NodeType] {
    static ALL: OnceLock<Vec<NodeType>> = OnceLock::new();
    ALL.get_or_init(|| TYPES.iter().copied().map(isolate).collect())
}

fn isolate(row: NodeType) -> NodeType {
    match Role::of(row.name) {
        // Unknown types are built by the row "unknown".
        None if row.name != "unknown" => row,
        Some(Role::Config) => NodeType { build: Build::Config(build_config), ..row },
        _ => NodeType { build: Build::Node(build_node), ..row },
    }
}

/// The isolation, unless the node is live.
fn isolation(cx: &NodeCx) -> Option<Arc<Isolation>> {
    let isolation = cx.shared().extensions.get_or_init(Isolation::default);
    (!isolation.is_live(cx.id())).then_some(isolation)
}

fn real(cx: &NodeCx) -> Result<Build, NodeError> {
    let row = TYPES.iter().find(|row| row.name == cx.kind()).or_else(|| TYPES.iter().find(|row| row.name == "unknown"));
    row.map(|row| row.build).ok_or_else(|| NodeError::new(format!("node type \"{}\" is not known", cx.kind())))
}

fn build_node(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    match (isolation(&cx), Role::of(cx.kind()), real(&cx)?) {
        (Some(isolation), Some(role), _) => Ok(isolated::node(cx, role, isolation)),
        (_, _, Build::Node(build)) => build(cx),
        (_, _, Build::Config(_)) => Err(NodeError::new(format!("\"{}\" is a configuration node", cx.kind()))),
    }
}

fn build_config(cx: NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError> {
    match (isolation(&cx), real(&cx)?) {
        (None, Build::Config(build)) => build(cx),
        _ => Ok(isolated::config()),
    }
}
