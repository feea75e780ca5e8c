//! The HTTP front door: balancer for flow traffic, admin API, console.

pub mod admin;
pub mod alerts;
pub mod balancer;
pub mod directory;
pub mod heads;
mod installation;
pub mod logs;
mod pauses;
pub mod pipeline;
pub mod replicas;
pub mod tls;

pub use flotilla_oidc as oidc;
pub use pauses::follow_pauses;
