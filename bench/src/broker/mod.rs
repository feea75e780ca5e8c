//! The broker alone, beside Mosquitto and rumqttd: raw TCP clients, 64-byte payloads, acknowledgements at once.

mod client;
mod growth;
pub mod load;
mod order;
mod run;

pub use load::Case;
pub use run::{BrokerArgs, CASES, run, start_with};
