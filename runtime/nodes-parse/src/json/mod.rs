//! The json node: JSON text to objects and back, checked against a JSON schema on the way.

mod node;
mod schema;

pub use node::TYPE;
