//! Who may do what. Pure: no store, no network.

mod principal;
mod right;

pub use principal::{Limits, Principal, Refused, Target};
pub use right::Right;
