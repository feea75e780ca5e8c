//! The processes that are measured, and what they need.

mod mosquitto;
mod node_red;
mod process;
mod replica;
mod rumqttd;
mod threads;

pub use mosquitto::Mosquitto;
pub use node_red::{NODE_REDS, NodeRed};
pub use process::{Process, free_port};
pub use replica::{Replica, binary};
pub use rumqttd::Rumqttd;
