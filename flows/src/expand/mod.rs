//! From a document to the graph that runs: tabs, groups and subflow instances become scopes, subflows are unfolded.

mod build;
mod graph;
mod instance;

pub use build::{Expanded, expand};
pub use graph::{EnvVar, Graph, GraphNode, Scope, ScopeKind};
