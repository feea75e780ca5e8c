//! Stages that are git repositories, by the `git` program: it has people's keys, certificates and helpers.

mod commit;
mod content;
mod repository;

pub(super) use commit::{Push, push};
pub(super) use content::{Pulled, pull};
