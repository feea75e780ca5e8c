//! Where a case keeps its data: a file, or a real server on a free port, stopped when the case ends (also by panic).

mod kind;
mod nats;
// Of the other tests: those of all crates run at the same time.
#[path = "../../../../tests/src/ports.rs"]
mod ports;
mod postgres;
mod redis;
mod server;
mod start;

pub use kind::Kind;
pub use server::{Server, free_port, signal_to};
pub use start::Place;
