//! The review: what a flow does differently at several replicas, node by node.

mod answers;
mod context;
mod finding;
mod function_io;
mod functions;
mod mqtt_in;
mod outward;
mod project_link;
mod refused;
mod rules;

pub use finding::Finding;
pub use rules::review;
