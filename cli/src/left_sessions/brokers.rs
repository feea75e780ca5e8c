//! What a revision says of its brokers.

use std::collections::{BTreeMap, HashSet};

use flotilla_flows::{Document, NodeConfig, PROJECT_LINK_BROKERS};
use flotilla_group::revision::Revision;
use serde_json::Value;

/// What a flow is reduced to: its brokers, how they are reached, and where they are. Nothing of it runs.
const NEEDED: [&str; 5] = ["tab", "subflow", "global-config", "mqtt-broker", "tls-config"];

fn nodes(revision: &Revision) -> impl Iterator<Item = &Value> {
    let list = revision.flows.as_array().or_else(|| revision.flows.get("flows")?.as_array());
    list.into_iter().flatten()
}

fn text<'a>(node: &'a Value, field: &str) -> &'a str {
    node.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The ids of the broker nodes that a revision has, those of project links among them.
pub(super) fn ids(revision: &Revision) -> HashSet<String> {
    let project = PROJECT_LINK_BROKERS.into_iter().map(str::to_owned);
    brokers(revision).into_iter().chain(project).collect()
}

/// Whether a broker node is one of these. That of a subflow has the instance's id before its own.
pub(super) fn is_of(broker: &str, ids: &HashSet<String>) -> bool {
    ids.iter()
        .any(|id| broker.strip_suffix(id.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('-')))
}

fn brokers(revision: &Revision) -> Vec<String> {
    nodes(revision).filter(|node| text(node, "type") == "mqtt-broker").map(|node| text(node, "id").to_owned()).collect()
}

/// The broker nodes at which the group itself may have sessions: through those that are true, one replica at a time consumes
/// something; the others have announcements.
pub(super) fn of_group(revision: &Revision) -> BTreeMap<String, bool> {
    let Ok(mut document) = Document::from_value(revision.flows.clone()) else { return BTreeMap::new() };
    document.set_node_settings(&revision.nodes);
    let announces = |node: &&NodeConfig| {
        let topics = ["birthTopic", "closeTopic", "willTopic"];
        node.kind == "mqtt-broker" && topics.iter().any(|topic| !node.str(topic).is_empty())
    };
    // Nodes of subflows are there once for each instance.
    let graph = flotilla_flows::expand(&document).graph;
    let nodes = || graph.nodes.iter().map(|node| &*node.config);
    let announcing = nodes().filter(announces).map(|node| (node.id.clone(), false));
    let single = nodes().filter(|node| node.kind == "mqtt in" && node.is_for_one());
    announcing.chain(single.map(|node| (node.str("broker").to_owned(), true))).collect()
}

/// Leaves what brokers need.
pub(super) fn reduce(revision: &mut Revision) {
    let list = match &mut revision.flows {
        Value::Array(list) => Some(list),
        flows => flows.get_mut("flows").and_then(Value::as_array_mut),
    };
    if let Some(list) = list {
        list.retain(|node| {
            let kind = text(node, "type");
            NEEDED.contains(&kind) || kind.starts_with("subflow:")
        });
    }
    let known: HashSet<String> = nodes(revision).map(|node| text(node, "id").to_owned()).collect();
    revision.nodes.retain(|id, _| known.contains(id));
    revision.settings.remove("contextStorage");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_flow_only_its_brokers_are_left() {
        let mut revision = Revision {
            flows: json!([
                {"id": "t", "type": "tab"},
                {"id": "b", "type": "mqtt-broker"},
                {"id": "s", "type": "tls-config"},
                {"id": "i", "type": "mqtt in", "broker": "b", "ha": "single"},
                {"id": "e", "type": "exec"},
            ]),
            ..Revision::default()
        };
        assert_eq!(of_group(&revision), BTreeMap::from([("b".to_owned(), true)]));
        reduce(&mut revision);
        let kinds: Vec<&str> = nodes(&revision).map(|node| text(node, "type")).collect();
        assert_eq!(kinds, ["tab", "mqtt-broker", "tls-config"]);
    }
}
