//! Spreads flow traffic over the ready replicas.

mod access;
mod answer_body;
mod answers;
mod attempt;
mod backend;
mod client_body;
mod connection;
mod deadlines;
mod door;
mod forward;
mod headers;
mod meters;
mod misses;
mod pool;
mod request_body;
mod sender;
mod server;
mod shards;
mod sockets;
pub mod tls;
mod trust;
mod upgrade;

pub use access::{Callers, Protection};
pub use backend::Backend;
pub use deadlines::{BadRoute, Deadlines, Pace, RouteDeadline};
pub use door::BalancerConfig;
pub use meters::Meters;
pub use misses::Misses;
pub use pool::Pool;
pub use server::{Balancer, StartError};
pub use trust::{BadNetwork, Network};
