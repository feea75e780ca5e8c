//! What a group without replicas has left at MQTT brokers, and how it is ended.

mod brokers;
mod ender;
mod tell;

pub use ender::LeftSessions;
pub use tell::tell;
