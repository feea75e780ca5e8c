//! How gateways reach the replicas of a group.

mod token;

pub use token::ControlTokens;
