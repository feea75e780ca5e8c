//! The MQTT nodes against a real broker: what is acknowledged was finished.

mod broker;
mod delivery;
mod flow;
