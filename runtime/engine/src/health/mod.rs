//! What of a replica works: problems of nodes, connections of sources, the beat of the workers.

mod canary;
mod health_type;
mod pulse;
mod source;
mod watchdog;

pub use canary::Canary;
pub use health_type::{Health, Verdict};
pub(super) use pulse::Alive;
pub use pulse::{Beat, Pulse};
pub use source::Source;
pub(super) use watchdog::start;
