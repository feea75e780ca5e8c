//! MQTT: mqtt in, mqtt out and the mqtt-broker config node that they share.

mod action;
mod adopt;
mod broker;
mod broker_events;
mod keeper;
mod letters;
mod missing;
mod mqtt_in;
mod mqtt_out;
mod options;
mod order;
mod own;
mod payload;
mod properties;
mod replica_topic;
mod share;
mod tls;
mod url;

pub use broker::TYPE as BROKER;
pub use mqtt_in::TYPE as IN;
pub use mqtt_out::TYPE as OUT;

pub use adopt::{Adopted, adopt, sessions};
pub use broker::MqttBroker;
pub use flotilla_codec::QoS;
pub use flotilla_mqtt::{Guard, Parting, PublishProps};
pub use keeper::{Keeper, KeptSession, SessionKeeper};
pub use letters::{Letter, LetterBox, LetterCounts, Letters, replay};
