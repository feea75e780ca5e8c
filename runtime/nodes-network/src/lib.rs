//! Nodes that talk to the network.

pub(crate) mod dial;
pub(crate) mod header_hash;
pub mod http_in;
pub mod http_proxy;
pub mod http_request;
pub mod http_response;
mod intake;
mod link;
pub mod mqtt;
pub mod project;
mod proxy;
mod table;
pub mod tcp;
pub mod tls_config;
pub mod udp;
pub mod websocket;

pub use table::TYPES;
