//! A replica's settings.

mod fields;
mod measure;
mod on_failure;

pub use fields::{REPLICA, Settings, is_own};
pub use measure::Measure;
pub use on_failure::OnFailure;
