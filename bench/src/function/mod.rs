//! A message through a function node.

mod case;
pub mod engine;
pub mod node_vm;
mod run;

pub use case::CASES;
pub use run::{FunctionArgs, run};
