//! Roles that one replica of a group has at a time.

mod seeker;

pub use seeker::{Roles, Seeker};
