//! The connections of the project link nodes. No document has them: every such node of a replica uses the same two.

use std::sync::Arc;

use serde_json::json;

use crate::document::NodeConfig;

use super::graph::{Graph, GraphNode};

/// The type of the config nodes that hold the connections.
pub const PROJECT_BROKER: &str = "project link broker";

/// Carries what is sent to projects and what comes from them.
const MESSAGES: &str = "flotilla-project-link";
/// Carries calls and their answers: a connection whose messages wait for answers must not hold these up.
const CALLS: &str = "flotilla-project-link-call";
/// The ids of these config nodes.
pub const PROJECT_LINK_BROKERS: [&str; 2] = [MESSAGES, CALLS];

/// The connection that a node uses.
fn connection_of(node: &NodeConfig) -> Option<&'static str> {
    match node.kind.as_str() {
        "project link in" | "project link out" => Some(MESSAGES),
        "project link call" => Some(CALLS),
        // Links of other groups, by name. Where a dynamic call leads is known when it is made: only then it connects.
        "link out" if names_group(node) => Some(MESSAGES),
        "link call" if names_group(node) || node.str("linkType") == "dynamic" => Some(CALLS),
        _ => None,
    }
}

/// True for a node with a link `group:NAME/LINK`.
fn names_group(node: &NodeConfig) -> bool {
    let is_group = |link: &serde_json::Value| link.as_str().is_some_and(|link| link.starts_with("group:"));
    match node.get("links") {
        Some(serde_json::Value::Array(links)) => links.iter().any(is_group),
        Some(link) => is_group(link),
        None => false,
    }
}

/// Gives the graph the connections that its nodes use, and names them in the nodes' field `broker`.
pub(super) fn connect(graph: &mut Graph) {
    let mut used = Vec::new();
    for node in &mut graph.nodes {
        if let Some(connection) = connection_of(&node.config) {
            Arc::make_mut(&mut node.config).props.insert("broker".to_owned(), connection.into());
            if !used.contains(&connection) {
                used.push(connection);
            }
        }
    }
    graph.nodes.extend(used.into_iter().map(broker));
}

fn broker(id: &str) -> GraphNode {
    let props = json!({"id": id, "type": PROJECT_BROKER, "calls": id == CALLS});
    let props = if let serde_json::Value::Object(props) = props { props } else { serde_json::Map::new() };
    let config = Arc::new(NodeConfig::from_props(props));
    GraphNode { path: format!("global/{id}"), config, scope: 0, alias: None, is_config: true }
}

#[cfg(test)]
mod tests {
    use crate::document::Document;
    use crate::expand::expand;

    #[test]
    fn project_link_nodes_share_connections_that_no_document_has() {
        let text = r#"[{"id":"t","type":"tab"},{"id":"i","type":"project link in","z":"t","x":1,"y":1},
            {"id":"o","type":"project link out","z":"t","x":1,"y":1},{"id":"c","type":"project link call","z":"t","x":1,"y":1}]"#;
        let graph = expand(&Document::parse(text).unwrap()).graph;
        let broker = |id: &str| graph.nodes.iter().find(|node| node.config.id == id).unwrap().config.str("broker");
        assert_eq!((broker("i"), broker("c")), (broker("o"), super::CALLS));
        let configs: Vec<_> = graph.nodes.iter().filter(|node| node.is_config).map(|node| &node.config.id).collect();
        assert_eq!(configs, [super::MESSAGES, super::CALLS]);
        let none = expand(&Document::parse(r#"[{"id":"t","type":"tab"}]"#).unwrap()).graph;
        assert!(none.nodes.is_empty());
    }
}
