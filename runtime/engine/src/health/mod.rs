//! What of a replica works: problems of nodes, connections of sources, the beat of the workers.

mod canary;
mod problem;
mod pulse;
mod source;
mod state;
mod watchdog;

pub use canary::Canary;
pub use problem::NodeProblem;
pub(super) use pulse::Alive;
pub use pulse::{Beat, Pulse};
pub use source::Source;
pub use state::{Health, Verdict};
pub(super) use watchdog::start;
