//! The one table of node types.

use std::sync::LazyLock;

use flotilla_engine::NodeType;

/// Every node type that flows may use.
pub static TYPES: LazyLock<Vec<NodeType>> =
    LazyLock::new(|| [flotilla_nodes_core::TYPES, flotilla_nodes_network::TYPES, flotilla_nodes_parse::TYPES].concat());
