//! Where messages can get to in a document.

mod edges;
mod replies;

pub(crate) use edges::edges;
pub(crate) use replies::{Reply, replies};
