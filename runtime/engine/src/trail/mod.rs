//! Trails: where deliveries went, for those that are recorded.

mod passed;
mod recorder;
mod rule;
mod trail;

pub use passed::{Ended, How, Published, Step, TrailView};
pub use recorder::Recorder;
pub use rule::{BadRule, Rule};
pub use trail::Trail;
