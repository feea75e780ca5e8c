//! A flow document and its entries, read as leniently as the editor writes them.

mod node_config;
mod parse;
mod props;

pub use node_config::NodeConfig;
pub use parse::{Document, ParseError};
pub use props::Props;
