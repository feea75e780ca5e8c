//! Stages that are groups of other installations, over their admin API.

mod away;
mod bring;
mod check;
mod reach;
mod take;

pub(super) use away::{Asked, Fate, far, fate};
