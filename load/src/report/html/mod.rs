//! Results as one page: no network, no script, light and dark.

mod axis;
mod bars;
mod chart;
mod escape;
mod page;
mod sections;

pub use page::{comparison_page, page};
