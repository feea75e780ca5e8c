//! The MQTT nodes against real brokers: nothing is lost over cuts and restarts, and what is acknowledged was finished.

mod adoption;
mod broker;
mod delivery;
mod flow;
mod proxy;
mod reconnects;
