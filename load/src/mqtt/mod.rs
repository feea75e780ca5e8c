//! Our own MQTT client: as fast as one core allows, and nothing acknowledged is forgotten.

mod collector;
mod connection;
mod in_flight;
mod output;
mod publisher;

pub use collector::Collector;
pub use connection::{ConnectionError, open};
pub use output::Output;
pub use publisher::Publisher;
