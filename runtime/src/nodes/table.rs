//! The one table of node types.

use crate::engine::NodeType;

/// Every node type that flows may use, by category of the palette.
pub static TYPES: &[NodeType] = &[];
