//! What a deploy does to what runs, before it is made.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::deployment::DeployType;
use crate::document::{Document, NodeConfig};

/// What a deploy does in each replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Effects {
    /// Nodes that stop and start, as `type "name" on tab`; new ones too.
    pub restarts: Vec<String>,
    /// Those of them that lose what they hold: messages, counters, timers.
    pub lose_state: Vec<String>,
    /// Subscriptions, routes and timers that begin.
    pub begin: Vec<String>,
    /// Subscriptions, routes and timers that end.
    pub end: Vec<String>,
}

/// Types that hold something between messages.
const HOLDERS: &[&str] = &["batch", "delay", "function", "join", "rbe", "smooth", "sort", "trigger"];

/// What a deploy of `new` does where `old` runs. `names`: variables of the environment whose value changes.
pub fn effects(old: &Document, new: &Document, deploy_type: DeployType, names: &[String]) -> Effects {
    let mut restarts: BTreeSet<&str> = running(new)
        .filter(|node| {
            deploy_type == DeployType::Full
                || old.get(&node.id).is_none_or(|before| differ(before, node))
                || reads(node, names)
        })
        .map(|node| node.id.as_str())
        .collect();
    if deploy_type == DeployType::Flows {
        let removed = running(old).filter(|node| new.get(&node.id).is_none()).map(|node| node.z.as_str());
        let tabs: BTreeSet<&str> = running(new)
            .filter(|node| restarts.contains(node.id.as_str()))
            .map(|node| node.z.as_str())
            .chain(removed)
            .collect();
        restarts.extend(running(new).filter(|node| tabs.contains(node.z.as_str())).map(|node| node.id.as_str()));
    }
    loop {
        // Whoever uses a config node that restarts holds the old one: it restarts too.
        let users: Vec<&str> = running(new)
            .filter(|node| !restarts.contains(node.id.as_str()) && uses(node, &restarts))
            .map(|node| node.id.as_str())
            .collect();
        if users.is_empty() {
            break;
        }
        restarts.extend(users);
    }
    let nodes = || running(new).filter(|node| restarts.contains(node.id.as_str()));
    let held = |node: &&NodeConfig| HOLDERS.contains(&node.kind.as_str()) && old.get(&node.id).is_some();
    let (before, after) = (surface(old), surface(new));
    Effects {
        restarts: nodes().map(|node| title(new, node)).collect(),
        lose_state: nodes().filter(held).map(|node| title(new, node)).collect(),
        begin: after.difference(&before).cloned().collect(),
        end: before.difference(&after).cloned().collect(),
    }
}

/// The nodes that run: no tabs, groups or comments, nothing that is disabled.
fn running(document: &Document) -> impl Iterator<Item = &NodeConfig> {
    document.entries().iter().filter(|node| {
        !matches!(node.kind.as_str(), "tab" | "subflow" | "group" | "comment")
            && !node.disabled
            && !document.get(&node.z).is_some_and(|tab| tab.disabled)
    })
}

fn differ(old: &NodeConfig, new: &NodeConfig) -> bool {
    let own = |node: &NodeConfig| {
        let mut props = node.props.clone();
        props.retain(|key, _| !matches!(key.as_str(), "x" | "y" | "w" | "h" | "wires" | "g"));
        props
    };
    old.disabled != new.disabled || own(old) != own(new)
}

fn reads(node: &NodeConfig, names: &[String]) -> bool {
    !names.is_empty()
        && node.props.values().any(|value| {
            let text = value.to_string();
            names.iter().any(|name| text.contains(name.as_str()))
        })
}

fn uses(node: &NodeConfig, ids: &BTreeSet<&str>) -> bool {
    let own = |key: &str| matches!(key, "id" | "z" | "g" | "wires");
    node.props.iter().any(|(key, value)| !own(key) && value.as_str().is_some_and(|text| ids.contains(text)))
}

fn title(document: &Document, node: &NodeConfig) -> String {
    let name = if node.name.is_empty() { &node.id } else { &node.name };
    let tab = document.get(&node.z).map(|tab| if tab.name.is_empty() { &tab.id } else { &tab.name });
    tab.map_or_else(|| format!("{} \"{name}\"", node.kind), |tab| format!("{} \"{name}\" on {tab}", node.kind))
}

/// What the flow shows outside: subscriptions, routes, timers, listeners.
fn surface(document: &Document) -> BTreeSet<String> {
    let line = |node: &NodeConfig| match node.kind.as_str() {
        "mqtt in" => Some(format!("subscription {} (QoS {})", node.str("topic"), node.string_of("qos"))),
        "http in" => Some(format!("route {} {}", node.str("method").to_uppercase(), node.str("url"))),
        "inject" => match (node.num("repeat"), node.opt_str("crontab")) {
            (_, Some(cron)) => Some(format!("timer {} at \"{cron}\"", node.label())),
            (Some(seconds), None) if seconds > 0.0 => Some(format!("timer {} every {seconds} s", node.label())),
            _ => None,
        },
        "tcp in" if node.str("server") != "client" => Some(format!("listener tcp {}", node.string_of("port"))),
        "udp in" => Some(format!("listener udp {}", node.string_of("port"))),
        "websocket-listener" => Some(format!("route WebSocket {}", node.str("path"))),
        _ => None,
    };
    running(document).filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(func: &str, topic: &str, broker: &str) -> Document {
        Document::from_value(json!([
            {"id": "t", "type": "tab", "label": "Plant"}, {"id": "u", "type": "tab", "label": "Other"},
            {"id": "b", "type": "mqtt-broker", "broker": broker},
            {"id": "i", "type": "mqtt in", "z": "t", "topic": topic, "qos": "1", "broker": "b"},
            {"id": "f", "type": "function", "z": "t", "name": "calc", "func": func},
            {"id": "d", "type": "delay", "z": "t"},
            {"id": "e", "type": "template", "z": "u", "template": "${HOST}"}
        ]))
        .unwrap()
    }

    #[test]
    fn only_what_changes_restarts_and_loses_state() {
        let old = document("1", "a", "x");
        let of = |new: &Document, deploy_type, names: &[String]| effects(&old, new, deploy_type, names);
        assert_eq!(of(&old, DeployType::Nodes, &[]), Effects::default());
        let found = of(&document("2", "a", "x"), DeployType::Nodes, &[]);
        assert_eq!(
            (found.restarts, found.lose_state),
            (vec!["function \"calc\" on Plant".to_owned()], vec!["function \"calc\" on Plant".to_owned()])
        );
        let found = of(&document("1", "b", "x"), DeployType::Flows, &[]);
        assert_eq!((found.restarts.len(), found.lose_state.len()), (3, 2), "the tab of the node that changed");
        assert_eq!(
            (found.begin, found.end),
            (vec!["subscription b (QoS 1)".to_owned()], vec!["subscription a (QoS 1)".to_owned()])
        );
        let found = of(&document("1", "a", "y"), DeployType::Nodes, &[]);
        assert_eq!(
            found.restarts,
            ["mqtt-broker \"b\"", "mqtt in \"i\" on Plant"],
            "who uses a config node goes with it"
        );
        let found = of(&old, DeployType::Nodes, &["HOST".to_owned()]);
        assert_eq!(found.restarts, ["template \"e\" on Other"], "it reads the variable");
        assert_eq!(of(&old, DeployType::Full, &[]).restarts.len(), 5);
    }
}
