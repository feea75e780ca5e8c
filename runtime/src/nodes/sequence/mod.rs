//! The palette's sequence group.

pub mod batch;
mod expression;
mod inline;
pub mod join;
pub mod sort;
pub mod split;

use inline::run_inline;
