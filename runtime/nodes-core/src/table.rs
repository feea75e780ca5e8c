//! The node types of this crate, by category of the palette.

use flotilla_engine::Stateless;

use super::{common, function, sequence, storage};

/// The node types of the categories common, function, sequence and storage.
pub static TYPES: &[Stateless] = &[
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
    common::unknown::TYPE,
    function::change::TYPE,
    function::delay::TYPE,
    function::exec::TYPE,
    function::function::TYPE,
    function::range::TYPE,
    function::rbe::TYPE,
    function::smooth::TYPE,
    function::switch::TYPE,
    function::template::TYPE,
    function::trigger::TYPE,
    sequence::batch::TYPE,
    sequence::join::TYPE,
    sequence::sort::TYPE,
    sequence::split::TYPE,
    storage::file::TYPE,
    storage::file_in::TYPE,
    storage::watch::TYPE,
];
