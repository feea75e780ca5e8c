//! The results, for people and for pipelines.

mod junit;
mod pretty;
mod report;
mod tap;

pub use junit::junit;
pub use pretty::pretty;
pub use report::Report;
pub use tap::tap;
