//! Project links: messages and calls between groups, and between them and Node-RED instances on FlowFuse.
//!
//! The wire is that of the npm package @flowfuse/nr-project-nodes 0.7.8: MQTT 5 at QoS 2, JSON payloads.

mod calls;
mod connection;
mod encoding;
mod groups;
mod identity;
mod link_call;
mod link_in;
mod link_out;
mod message;
mod topics;

pub use connection::TYPE as BROKER;
pub use identity::ProjectWire;
pub use link_call::TYPE as CALL;
pub use link_in::TYPE as IN;
pub use link_out::TYPE as OUT;
pub use topics::{rights, team};
