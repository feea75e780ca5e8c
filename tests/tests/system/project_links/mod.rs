//! Project links: between groups of different stores that meet on one broker, and with FlowFuse's own nodes.

mod broadcasts;
mod by_name;
mod calls;
mod flowfuse;
mod interop;
mod kit;
mod rights;
