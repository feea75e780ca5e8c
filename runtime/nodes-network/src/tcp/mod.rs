//! TCP: tcp in, tcp out and tcp request.

mod closing;
mod connection;
mod gather;
mod listener;
mod payload;
mod sessions;
mod target;
mod tcp_in;
mod tcp_out;
mod tcp_request;
mod upkeep;

pub use tcp_in::TYPE as IN;
pub use tcp_out::TYPE as OUT;
pub use tcp_request::TYPE as REQUEST;
