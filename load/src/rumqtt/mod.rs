//! rumqttc: a client that nobody here wrote. It drives scenarios as a cross-check, and `flotilla pub` and `flotilla sub`.

mod collector;
mod event;
mod link;
mod options;
mod publisher;

pub use collector::Collector;
pub use event::{Arrived, Happening};
pub use link::{Link, LinkError, Message, Sender};
pub use options::{LinkOptions, Will};
pub use publisher::Publisher;
pub use rumqttc::v5::mqttbytes::v5::PublishProperties;
