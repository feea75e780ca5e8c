//! The one table of node types.

use crate::engine::NodeType;

use super::{function, network, parser, sequence, storage};

/// Every node type that flows may use, by category of the palette.
pub static TYPES: &[NodeType] = &[
    function::function::TYPE,
    network::mqtt::BROKER,
    network::mqtt::IN,
    network::mqtt::OUT,
    parser::csv::TYPE,
    parser::html::TYPE,
    parser::json::TYPE,
    parser::xml::TYPE,
    parser::yaml::TYPE,
    sequence::batch::TYPE,
    sequence::join::TYPE,
    sequence::sort::TYPE,
    sequence::split::TYPE,
    storage::file::TYPE,
    storage::file_in::TYPE,
    storage::watch::TYPE,
];
