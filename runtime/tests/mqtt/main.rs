//! The MQTT nodes against real brokers: nothing is lost over cuts and restarts, and what is acknowledged was finished.
#![allow(clippy::disallowed_methods, reason = "a panic of a helper shows in the test that waits for it")]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

mod adoption;
mod bounds;
mod broker;
mod capabilities;
mod content;
mod delivery;
mod fake;
mod flow;
mod forgotten;
mod no_local;
// Of the other tests: those of all crates run at the same time.
#[path = "../../../tests/src/ports.rs"]
mod ports;
mod proxy;
mod reconnects;
mod several;
mod unread;
