//! Which entries a message of an entry reaches next.

use std::collections::HashMap;

use crate::document::Document;

fn strings(value: Option<&serde_json::Value>) -> Vec<&str> {
    match value {
        Some(serde_json::Value::Array(items)) => items.iter().filter_map(serde_json::Value::as_str).collect(),
        Some(serde_json::Value::String(text)) => vec![text],
        _ => Vec::new(),
    }
}

/// Where messages of each entry go: along wires, links and into subflows. What is disabled is left out.
pub(crate) fn edges(document: &Document) -> HashMap<&str, Vec<&str>> {
    let mut edges: HashMap<&str, Vec<&str>> = HashMap::new();
    for node in document.entries().iter().filter(|node| !node.disabled) {
        let targets = edges.entry(&node.id).or_default();
        targets.extend(node.wires.iter().flatten().map(String::as_str));
        match node.kind.as_str() {
            "link out" | "link call" => targets.extend(strings(node.get("links"))),
            kind => {
                // A function may answer by itself, and a dynamic link may go anywhere: nothing is said about those.
                if let Some(definition) = kind.strip_prefix("subflow:") {
                    targets.push(definition);
                }
            }
        }
    }
    for subflow in document.entries().iter().filter(|node| node.kind == "subflow") {
        let targets = edges.entry(&subflow.id).or_default();
        let inputs = subflow.get("in").and_then(serde_json::Value::as_array).into_iter().flatten();
        let wires = inputs.filter_map(|port| port.get("wires")?.as_array()).flatten();
        targets.extend(wires.filter_map(|wire| wire.get("id")?.as_str()));
    }
    edges
}
