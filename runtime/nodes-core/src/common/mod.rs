//! The palette's category "common".

pub(crate) mod debug;
pub(crate) mod inject;
pub(crate) mod link;
pub(crate) mod pass_through;
pub(crate) mod silent;
pub(crate) mod unknown;
