//! MQTT: mqtt in, mqtt out and the mqtt-broker config node that they share.

mod action;
mod adopt;
mod arriving;
mod broker;
mod broker_events;
mod capabilities;
mod connections;
mod durable;
mod dynamic;
mod end;
mod fetch;
mod herald;
mod interests;
mod keeper;
mod letters;
mod lifecycle;
mod lost;
mod mqtt_in;
mod mqtt_out;
mod no_local;
mod options;
mod order;
mod payload;
mod properties;
mod replica_topic;
mod role_guard;
mod share;
mod single;
mod suspects;
mod tls;
mod together;
mod url;

pub use broker::TYPE as BROKER;
pub use mqtt_in::TYPE as IN;
pub use mqtt_out::TYPE as OUT;

pub(crate) use broker::Own;
pub(crate) use mqtt_in::show_first;
pub(crate) use order::Order;
pub(crate) use share::Subscription;

pub use adopt::{Adopted, adopt, sessions};
pub use broker::MqttBroker;
pub use durable::{DurableOutbox, KeptOutbox, publish_again};
pub use end::{CLOSING, end, group_sessions};
pub use flotilla_codec::QoS;
pub use flotilla_mqtt::{Guard, Parting, PublishProps};
pub use keeper::{Keeper, KeptSession, SessionKeeper};
pub use letters::{Letter, LetterBox, LetterCounts, Letters, replay, replay_at};
pub use lost::Lost;
pub use suspects::Suspects;
pub use together::{Asked, Group, Heard, Role, Together};
