//! A raw MQTT client for tests: it does only what it is told, so that a test decides what is acknowledged and how a
//! connection ends.

mod broker;
mod client;
mod process;
mod read;
mod write;

pub use broker::TestBroker;
pub use client::{Client, Connect, Ending};
pub use process::BrokerProcess;
pub use read::{Packet, Publish};
