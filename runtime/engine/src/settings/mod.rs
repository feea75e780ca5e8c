//! A replica's settings.

mod on_failure;
mod settings_type;

pub use on_failure::OnFailure;
pub use settings_type::{Settings, is_own};
