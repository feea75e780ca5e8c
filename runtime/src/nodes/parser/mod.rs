//! The palette's parser group.

pub mod csv;
pub mod html;
pub mod json;
pub mod xml;
pub mod yaml;
