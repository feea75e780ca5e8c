//! The broker, from a raw client's side. Every message is counted.

mod full;
mod hostile;
mod killed;
mod kit;
mod stalled;
mod vacant;
mod versions;
