//! What the broker tells monitoring: totals through the process's recorder, and what there is of each share group,
//! written anew for each scrape.

mod groups;
mod totals;

pub use groups::groups;
pub use totals::report;
