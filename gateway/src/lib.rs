//! The HTTP front door: balancer for flow traffic, admin API, console.

pub mod admin;
pub mod alerts;
pub mod directory;
pub mod heads;
mod installation;
pub mod logs;
mod pauses;
pub mod pipeline;
pub mod replicas;

pub use flotilla_balancer as balancer;
pub use flotilla_balancer::tls;
pub use flotilla_oidc as oidc;
pub use pauses::follow_pauses;
