//! What a node is, and what its type is.

mod contract;
mod stateless;
mod types;

pub use contract::{ConfigNode, Node, NodeError};
pub use stateless::Stateless;
pub use types::{Built, NodeType, NodeTypes};
