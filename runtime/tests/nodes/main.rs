//! Nodes in a running engine: a flow is deployed, messages go in, what comes out is looked at.
#![allow(clippy::disallowed_methods, reason = "a panic of a helper shows in the test that waits for it")]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

mod catalogue;
mod common;
mod damage;
mod damage_network;
mod deny;
mod deploy;
mod exec;
mod flow;
mod function;
mod hostile;
mod http_request;
mod link_calls;
mod mqtt_tls;
mod parser;
mod passwords;
mod pkcs12;
mod pki;
// Of the other tests: those of all crates run at the same time.
#[path = "../../../tests/src/ports.rs"]
mod ports;
mod sequence;
mod storage;
mod tcp;
mod tcp_request;
mod tls;
mod udp;
mod waits;
mod websocket;
