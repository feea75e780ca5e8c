//! Nodes whose type is not known to whoever is to run them.

use serde::Serialize;

use crate::expand::Graph;

use super::instead::instead;
use super::packages::npm_package;

/// A node of a type that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnknownType {
    /// The node's id.
    pub node: String,
    /// Its name, or empty.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name of the tab that it is on.
    pub tab: String,
    /// The npm package that the type comes from in Node-RED, where that is known.
    pub package: Option<&'static str>,
}

impl UnknownType {
    /// Where the type comes from and what does its work here, for people.
    pub fn origin(&self) -> String {
        let origin = match self.package {
            Some(package) => format!("this type comes from the npm package {package}"),
            None => "no npm package is known for this type".to_owned(),
        };
        match instead(&self.kind) {
            Some(what) => format!("{origin}; use in its place: {what}"),
            None => origin,
        }
    }
}

/// The nodes of a graph whose type `is_known` does not know. What a subflow unfolds to is known to everyone.
pub fn unknown_types(graph: &Graph, is_known: impl Fn(&str) -> bool) -> Vec<UnknownType> {
    let nodes = graph.nodes.iter().filter(|node| {
        let kind = node.config.kind.as_str();
        !kind.starts_with("subflow:") && kind != "subflow-status" && !is_known(kind)
    });
    nodes
        .map(|node| UnknownType {
            node: node.config.id.clone(),
            name: node.config.name.clone(),
            kind: node.config.kind.clone(),
            tab: graph.tab_name(node.scope),
            package: npm_package(&node.config.kind),
        })
        .collect()
}
