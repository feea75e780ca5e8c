//! One instance of a subflow: its nodes with ids of their own, wired to where the instance is wired.
//!
//! Source: Node-RED's `Subflow.js`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::document::NodeConfig;

use super::build::{Builder, Place};
use super::graph::{EnvVar, GraphNode, ScopeKind};

/// Subflows inside of subflows; each is a call inside of a call here.
const DEEPEST: usize = 64;
/// Subflows that stand in each other several times double with each level: memory stays bounded.
const MOST_NODES: usize = 250_000;

/// Adds an instance and everything inside it.
pub(super) fn add(
    builder: &mut Builder<'_>,
    instance: NodeConfig,
    alias: Option<String>,
    definition_id: &str,
    path: &str,
    scope: usize,
    stack: &mut Vec<String>,
) {
    let Some(definition) = builder.document.get(definition_id).filter(|entry| entry.kind == "subflow") else {
        let message = format!("is an instance of subflow {definition_id}, which is not in the document: export it too");
        return builder.error(&instance, "type", message);
    };
    if stack.iter().any(|around| around == definition_id) {
        let message = format!("subflow \"{}\" contains itself: take this instance out", definition.name);
        return builder.error(&instance, "type", message);
    }
    if stack.len() >= DEEPEST {
        let message = format!("subflows are nested more than {DEEPEST} deep: remove some");
        return builder.error(&instance, "type", message);
    }
    if builder.graph.nodes.len() >= MOST_NODES {
        let message = format!("the subflows unfold to more than {MOST_NODES} nodes: use fewer instances");
        return builder.error_once(&instance, "type", message);
    }
    let contents = builder.contents.get(definition_id).cloned().unwrap_or_default();
    let ids: HashMap<&str, String> =
        contents.iter().map(|entry| (entry.id.as_str(), format!("{}-{}", instance.id, entry.id))).collect();
    let mut inner: Vec<(NodeConfig, String)> =
        contents.iter().map(|entry| (remap(entry, &instance.id, &ids), entry.id.clone())).collect();

    let kind = ScopeKind::Subflow { instance: instance.id.clone(), definition: definition_id.to_owned() };
    let name = if instance.name.is_empty() { &definition.name } else { &instance.name };
    let flow = builder.scope(&instance.id, kind, scope, name, environment(definition, &instance));
    let mut place = Place { scope: flow, path: path.to_owned(), groups: HashMap::new() };
    let groups = inner.iter().filter(|(entry, _)| entry.kind == "group").map(|(entry, _)| entry.clone()).collect();
    builder.group_scopes(&mut place, groups);

    let outer = instance.wires.clone();
    let mut front = instance;
    front.wires = ports(definition.get("in"))
        .iter()
        .map(|wires| wires.iter().filter_map(|(id, _)| ids.get(id.as_str()).cloned()).collect())
        .collect();
    let mut connect = |from: &(String, usize), targets: &[String]| {
        let wires = if from.0 == definition_id {
            &mut front.wires
        } else {
            match inner.iter_mut().find(|(_, original)| *original == from.0) {
                Some((node, _)) => &mut node.wires,
                None => return,
            }
        };
        if wires.len() <= from.1 {
            wires.resize(from.1 + 1, Vec::new());
        }
        wires[from.1].extend_from_slice(targets);
    };
    for (port, sources) in ports(definition.get("out")).iter().enumerate() {
        let targets = outer.get(port).cloned().unwrap_or_default();
        sources.iter().for_each(|source| connect(source, &targets));
    }
    let status = definition.get("status").map(|status| ports(Some(&Value::Array(vec![status.clone()]))));
    let status_id = format!("{}:status", front.id);
    for source in status.iter().flatten().flatten() {
        connect(source, std::slice::from_ref(&status_id));
    }

    let instance_id = front.id.clone();
    let front = Arc::new(front);
    builder.graph.nodes.push(GraphNode { config: front, scope, alias, path: path.to_owned(), is_config: false });
    if status.is_some() {
        let mut props = serde_json::Map::new();
        props.insert("id".to_owned(), Value::from(status_id));
        props.insert("type".to_owned(), Value::from("subflow-status"));
        props.insert("z".to_owned(), Value::from(instance_id));
        let config = Arc::new(NodeConfig::from_props(props));
        let path = format!("{path}:status");
        builder.graph.nodes.push(GraphNode { config, scope: flow, alias: None, path, is_config: false });
    }
    stack.push(definition_id.to_owned());
    for (node, original) in inner.into_iter().filter(|(entry, _)| entry.kind != "group") {
        builder.node(node, Some(original), &place, stack);
    }
    stack.pop();
}

/// The definition's variables, each replaced by the instance's of the same name.
fn environment(definition: &NodeConfig, instance: &NodeConfig) -> Vec<EnvVar> {
    let mut env = EnvVar::read(definition);
    for own in EnvVar::read(instance) {
        match env.iter_mut().find(|var| var.name == own.name) {
            Some(var) => *var = own,
            None => env.push(own),
        }
    }
    env
}

/// The wires of a definition's `in`, `out` or `status`: for each port the ids and their outputs.
fn ports(field: Option<&Value>) -> Vec<Vec<(String, usize)>> {
    let Some(Value::Array(ports)) = field else { return Vec::new() };
    let wire = |wire: &Value| {
        let port = wire.get("port").and_then(Value::as_u64).unwrap_or(0) as usize;
        Some((wire.get("id")?.as_str()?.to_owned(), port)).filter(|(_, port)| *port < 1000)
    };
    let wires = |port: &Value| match port.get("wires") {
        Some(Value::Array(wires)) => wires.iter().filter_map(wire).collect(),
        _ => Vec::new(),
    };
    ports.iter().map(wires).collect()
}

/// An entry of the definition with the ids of an instance: in its wires, in the lists of catch, status, complete and link
/// nodes, and in every field that names another node of the definition.
fn remap(entry: &NodeConfig, instance: &str, ids: &HashMap<&str, String>) -> NodeConfig {
    let renamed = |value: &Value| match value {
        Value::String(id) => ids.get(id.as_str()).map(|id| Value::from(id.as_str())),
        _ => None,
    };
    let mut props = entry.props.clone().into_map();
    for (key, value) in &mut props {
        match (key.as_str(), &mut *value) {
            ("scope" | "links", Value::Array(items)) => {
                items.iter_mut().for_each(|item| *item = renamed(item).unwrap_or_else(|| item.clone()));
            }
            ("wires", Value::Array(outputs)) => {
                for output in outputs.iter_mut().filter_map(Value::as_array_mut) {
                    *output = output.iter().filter_map(renamed).collect();
                }
            }
            ("id", _) => *value = Value::from(ids.get(entry.id.as_str()).map_or("", String::as_str)),
            ("z", _) => *value = Value::from(instance),
            _ => {
                if let Some(id) = renamed(value) {
                    *value = id;
                }
            }
        }
    }
    NodeConfig::from_props(props)
}

#[cfg(test)]
mod tests {
    use crate::document::Document;
    use crate::expand::expand;

    #[test]
    fn an_instance_is_wired_to_where_it_stands() {
        let document = Document::parse(
            r#"[{"id":"t","type":"tab","label":"Tab"},
            {"id":"s","type":"subflow","name":"S","in":[{"wires":[{"id":"a"}]}],
             "out":[{"wires":[{"id":"a","port":0},{"id":"s","port":0}]}],"status":{"wires":[{"id":"a","port":0}]},
             "env":[{"name":"E","type":"str","value":"d"}]},
            {"id":"a","type":"function","z":"s","x":1,"y":1,"wires":[["a"]]},
            {"id":"i","type":"subflow:s","z":"t","x":1,"y":1,"env":[{"name":"E","type":"str","value":"own"}],"wires":[["out"]]},
            {"id":"out","type":"debug","z":"t","x":1,"y":1,"wires":[]}]"#,
        )
        .unwrap();
        let expanded = expand(&document);
        assert!(expanded.problems.is_empty());
        let node = |id: &str| expanded.graph.nodes.iter().find(|node| node.config.id == id).unwrap();
        assert_eq!(node("i").config.wires, [["i-a", "out"]]);
        assert_eq!(node("i-a").config.wires, [["i-a", "out", "i:status"]]);
        assert_eq!(node("i-a").path, "t/i/a");
        assert_eq!(node("i-a").alias.as_deref(), Some("a"));
        let scope = &expanded.graph.scopes[node("i-a").scope];
        assert_eq!((scope.id.as_str(), scope.env[0].value.as_str()), ("i", Some("own")));
    }

    #[test]
    fn a_subflow_in_itself_is_refused() {
        let document = Document::parse(
            r#"[{"id":"s","type":"subflow","name":"S"},{"id":"i","type":"subflow:s","z":"s","x":1,"y":1},
            {"id":"j","type":"subflow:s","z":"t","x":1,"y":1},{"id":"k","type":"subflow:gone","z":"t","x":1,"y":1}]"#,
        )
        .unwrap();
        let problems = expand(&document).problems;
        assert_eq!(problems.len(), 2);
        assert!(problems[0].message.contains("contains itself") && problems[1].message.contains("not in the document"));
    }
}
