//! Spreads flow traffic over the ready replicas.

mod backend;
mod body;
mod forward;
mod pool;
mod server;
mod upgrade;

pub use backend::Backend;
pub use pool::Pool;
pub use server::{Balancer, BalancerConfig, StartError};
