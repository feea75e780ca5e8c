//! The admin API, `/api/v1`.

mod api;
mod audit;
mod caller;
mod context;
mod deadletter;
mod deploy;
mod document;
mod env;
mod gate;
mod groups;
mod guard;
mod lock;
mod logins;
mod members;
mod nodered;
mod openapi;
mod plan;
mod problem;
mod refusals;
mod revisions;
mod rollout;
mod route;
mod routes;
mod server;
mod status;
mod token;
mod tokens;
mod users;

pub use api::{Api, NodeTypes};
pub use problem::Failure;
pub use route::Route;
pub use routes::api_routes;
pub use server::{Admin, StartError};
pub use token::{Token, TokenError};
