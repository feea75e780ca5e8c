//! The yaml node: YAML text to objects and back, with js-yaml's types and its way of writing.

mod dump;
mod error;
mod load;
mod node;
mod scalar;
mod style;

pub use error::LoadError;
pub use load::load as load_yaml;
pub use node::TYPE;
