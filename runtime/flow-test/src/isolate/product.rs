//! The product's node types.

use std::sync::LazyLock;

use flotilla_engine::NodeTypes;

/// The product's node types, by name.
pub(super) static PRODUCT: LazyLock<NodeTypes> = LazyLock::new(flotilla_runtime::types);
