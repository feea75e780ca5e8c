//! The admin API, `/api/v1`.

mod problem;
mod server;
mod status;

pub use problem::Problem;
pub use server::{Admin, StartError};
