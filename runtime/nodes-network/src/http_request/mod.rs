//! The http request node.

mod auth;
mod body;
mod client;
mod connect;
mod cookie_jar;
mod error;
mod headers;
mod node;
mod plan;
mod pool;
mod wire;

pub use node::TYPE;
