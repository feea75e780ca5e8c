//! Load generators.

pub mod http;
pub mod mqtt;
mod wire;
