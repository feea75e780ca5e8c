//! The embedded MQTT broker: sessions, subscriptions, at-least-once share groups.

mod config;
mod message;
pub mod topic;
pub mod wire;

pub use config::{Config, Strategy};
pub use message::Message;
