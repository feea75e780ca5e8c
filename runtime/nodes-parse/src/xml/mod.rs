//! The xml node: XML text to objects and back, as xml2js does with Node-RED's options.

mod build;
mod error;
mod node;
mod options;
mod read;
mod tree;

pub use node::TYPE;
