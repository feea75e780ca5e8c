//! Placement in the store: the document, what decisions are made from, and who makes them.

mod ledger;
mod observe;
mod scheduler;

pub use ledger::Ledger;
pub use observe::observe;
pub use scheduler::Scheduler;
