//! The palette's parser group.

pub mod csv;
pub mod html;
pub mod json;
mod table;
pub mod xml;
pub mod yaml;

pub use table::TYPES;
