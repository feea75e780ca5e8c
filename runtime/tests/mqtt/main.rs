//! The MQTT nodes against real brokers: nothing is lost over cuts and restarts, and what is acknowledged was finished.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

mod adoption;
mod broker;
mod delivery;
mod flow;
mod proxy;
mod reconnects;
