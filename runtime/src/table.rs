//! The one table of node types.

use flotilla_engine::NodeTypes;

/// Every node type that is part of Flotilla. Built anew with each call: whoever has types of its own adds them.
pub fn types() -> NodeTypes {
    [flotilla_nodes_core::TYPES, flotilla_nodes_network::TYPES, flotilla_nodes_parse::TYPES]
        .into_iter()
        .flatten()
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_types_have_the_same_name() {
        let rows =
            flotilla_nodes_core::TYPES.len() + flotilla_nodes_network::TYPES.len() + flotilla_nodes_parse::TYPES.len();
        assert_eq!(types().names().count(), rows);
    }
}
