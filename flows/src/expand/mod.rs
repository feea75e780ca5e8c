//! From a document to the graph that runs: tabs, groups and subflow instances become scopes, subflows are unfolded.

mod build;
mod graph;
mod instance;
mod project_links;

pub use build::{Expanded, expand};
pub use graph::{EnvVar, Graph, GraphNode, Scope, ScopeKind};
pub use project_links::{PROJECT_BROKER, PROJECT_LINK_BROKERS};
