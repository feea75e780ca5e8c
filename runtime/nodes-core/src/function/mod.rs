//! The palette's category "function".

pub(crate) mod change;
pub(crate) mod delay;
pub mod exec;
pub mod function;
pub(crate) mod range;
pub(crate) mod rbe;
pub(crate) mod smooth;
pub(crate) mod switch;
pub(crate) mod template;
pub(crate) mod trigger;
