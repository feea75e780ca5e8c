//! The replica's HTTP server: one for all `http in` and `websocket in` nodes, on every worker thread.

mod answer;
mod auth;
mod body;
mod body_kind;
mod connection;
mod cookies;
mod cors;
mod etag;
mod files;
mod gate;
mod multipart;
mod node_root;
mod pattern;
mod policy;
mod query;
mod request;
mod response;
mod response_calls;
mod routes;
mod server;
mod stream;
mod trust;
mod upgrade;
mod written;

pub use cookies::{parse_cookies, serialize_cookie};
pub use node_root::node_root;
pub use query::{parse_query, write_query};
pub use request::Request;
pub use request::headers_value;
pub use response::Response;
pub use routes::{Endpoint, Routes};
pub use server::{HttpServer, connect};
pub use upgrade::{UpgradeHandler, Upgraded};
