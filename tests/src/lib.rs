//! Harness for whole-system tests: starts `flotilla` as a user would, watches it from outside, kills it, counts.

mod admin;
mod collector;
mod http;
mod mosquitto;
pub mod mqtt;
mod ports;
mod process;
mod up;
mod wait;

pub use admin::write_flow;
pub use collector::Collector;
pub use http::{Answer, get, request};
pub use mosquitto::Mosquitto;
pub use ports::free_ports;
pub use process::{Killed, example, flotilla, kill, pause, peak_memory, resume};
pub use up::{Replica, Up, UpOptions};
pub use wait::eventually;
