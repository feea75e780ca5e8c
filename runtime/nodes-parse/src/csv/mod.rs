//! The csv node: CSV text to objects and back, in Node-RED's two dialects.

mod cells;
mod dialect;
mod legacy;
mod legacy_write;
mod node;
mod rfc;
mod rfc_write;
mod source;

pub use node::TYPE;
