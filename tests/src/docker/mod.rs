//! Containers for tests: a daemon, the image of the binary under test, and the compose file of the project.

mod compose;
mod daemon;

pub use compose::Compose;
pub use daemon::{Docker, deploy};
