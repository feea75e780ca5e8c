//! Load generators.

pub mod http;
pub mod mqtt;
pub mod wire;
