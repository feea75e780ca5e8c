//! The versions of what users change, and changes that are held to one.

mod held;
mod mark;

pub use held::Held;
pub use mark::Mark;
