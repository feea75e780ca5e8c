//! What every backend must do.

pub mod child;
mod expiry;
mod fences;
mod leases;
mod linear;
mod lists;
mod outage;
mod processes;
mod refusals;
mod stalls;
mod sums;
mod swaps;
mod tools;
mod values;
mod watches;

pub use expiry::{expiry, many_expiries};
pub use fences::fences;
pub use leases::leases;
pub use linear::linear;
pub use lists::lists;
pub use outage::outage;
pub use processes::processes;
pub use refusals::refusals;
pub use stalls::stalls;
pub use sums::sums;
pub use swaps::swaps;
pub use values::values;
pub use watches::watches;

use tools::{all, eventually, text};
