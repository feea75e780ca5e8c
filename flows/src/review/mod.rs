//! The review: what a flow does differently at several replicas, node by node.

mod answers;
mod finding;
mod functions;
mod mqtt_in;
mod project_link;
mod refused;
mod rules;

pub use finding::Finding;
pub use rules::review;
