//! The broker, from a raw client's side. Every message is counted.

mod begun;
mod bounds;
mod deaths;
mod disk;

mod full;
mod hostile;
mod identifiers;
mod keyed;
mod killed;
mod kit;
mod listeners;
mod metrics;
mod order;
mod owners;
mod persist;
mod reasons;
mod stalled;
mod time;
mod vacant;
mod versions;
mod websocket;
