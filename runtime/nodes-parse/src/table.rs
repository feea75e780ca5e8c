//! The node types of this crate.

use flotilla_engine::Stateless;

use super::{csv, html, json, xml, yaml};

/// The node types of the category parser.
pub static TYPES: &[Stateless] = &[csv::TYPE, html::TYPE, json::TYPE, xml::TYPE, yaml::TYPE];
