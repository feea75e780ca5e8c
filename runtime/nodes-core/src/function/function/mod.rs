//! `function`: JavaScript of the flow's author.

mod cx_host;
mod function_node;

pub use function_node::TYPE;
