//! What a node is, and what it may do.

mod contexts;
mod contract;
mod cx;
mod env;
mod host;
mod identity;
mod inert;
mod outputs;
mod reporter;
mod scope;
mod stateless;
mod types;
mod work;

pub use contexts::NodeContexts;
pub use contract::{Node, NodeError};
pub use cx::NodeCx;

pub use host::{Caught, Host, Receive};
pub use identity::Identity;
pub(crate) use identity::Origin;
pub use inert::Inert;
pub use outputs::Outputs;
pub use reporter::Reporter;
pub use scope::Scope;
pub use stateless::Stateless;
pub use types::{Built, NodeType, NodeTypes};
pub use work::Work;
