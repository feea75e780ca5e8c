//! The one table of node types.

use crate::engine::NodeType;

use super::{common, function, network, parser, sequence, storage};

/// Every node type that flows may use, by category of the palette.
pub static TYPES: &[NodeType] = &[
    common::debug::TYPE,
    common::inject::TYPE,
    common::link::CALL,
    common::link::IN,
    common::link::OUT,
    common::pass_through::CATCH,
    common::pass_through::COMPLETE,
    common::pass_through::JUNCTION,
    common::pass_through::STATUS,
    common::silent::COMMENT,
    common::silent::GLOBAL_CONFIG,
    common::silent::UNKNOWN,
    function::change::TYPE,
    function::function::TYPE,
    function::range::TYPE,
    function::rbe::TYPE,
    function::smooth::TYPE,
    function::switch::TYPE,
    function::template::TYPE,
    network::http_in::TYPE,
    network::http_proxy::TYPE,
    network::http_request::TYPE,
    network::http_response::TYPE,
    network::tls_config::TYPE,
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
