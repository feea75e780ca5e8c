//! Nodes that talk to the network.

pub mod mqtt;
