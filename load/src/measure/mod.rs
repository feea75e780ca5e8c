//! What is measured, and what it is held against.

mod latency;
mod machine;
mod metric;
mod threshold;
mod timeline;

pub use latency::{Bar, Latencies, Percentiles};
pub use machine::Machine;
pub use metric::{BadMetric, Metric, group_digits, show_ms};
pub use threshold::{BadThreshold, Threshold};
pub use timeline::{Point, Timeline, What};
