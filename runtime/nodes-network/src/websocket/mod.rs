//! WebSockets: websocket in, websocket out, and the config nodes websocket-listener and websocket-client.

mod client;
mod config;
mod hub;
mod listener;
mod message;
mod relay;
mod socket;
mod websocket_in;
mod websocket_out;

pub use config::{CLIENT, LISTENER, WebSocketConfig};
pub use relay::{Others, Relay, hear};
pub use websocket_in::TYPE as IN;
pub use websocket_out::TYPE as OUT;
