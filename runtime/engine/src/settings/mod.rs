//! A replica's settings.

mod fields;
mod on_failure;

pub use fields::{REPLICA, Settings, is_own};
pub use on_failure::OnFailure;
