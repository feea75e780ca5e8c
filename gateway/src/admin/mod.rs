//! The admin API, `/api/v1`.

mod api;
mod context;
mod deadletter;
mod deploy;
mod env;
mod groups;
mod guard;
mod lock;
mod members;
mod plan;
mod problem;
mod revisions;
mod rollout;
mod server;
mod status;
mod token;

pub use api::{Api, NodeTypes};
pub use problem::Failure;
pub use server::{Admin, StartError};
pub use token::{Token, TokenError};
