//! The review as a page: each tab as the editor lays it out, with the findings on its nodes.

mod canvas;
mod label;
mod look;
mod page;
mod shape;

pub(super) use page::page;
