//! What becomes of the settings of Node-RED's `settings.js`.

mod protects;
mod sorted;
mod table;

pub use protects::unprotected;
pub use sorted::Sorted;
