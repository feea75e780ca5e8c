//! The test host: lets another process load a flow, inject messages and watch what happens, as lines of JSON on stdin and
//! stdout. An adapter over the engine's own parts; nothing behaves differently under it.

mod act;
mod admin;
mod codec;
mod context_ops;
mod events;
mod helper_node;
mod host;
mod op;
mod server;

pub use codec::{decode, encode};
pub use host::{HostError, run};
pub use server::FlowHttp;
