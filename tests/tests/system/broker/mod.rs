//! The broker, from a raw client's side. Every message is counted.

mod bounds;
mod disk;
mod doors;
mod full;
mod hostile;
mod identifiers;
mod killed;
mod kit;
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
