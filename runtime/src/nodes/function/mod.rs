//! The palette's category "function", without the function node itself.

pub(crate) mod change;
pub(crate) mod range;
pub(crate) mod rbe;
pub(crate) mod smooth;
pub(crate) mod switch;
pub(crate) mod template;
