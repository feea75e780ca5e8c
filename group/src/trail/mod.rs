//! Which deliveries of a group are recorded.

mod rules;

pub use rules::TrailRules;
