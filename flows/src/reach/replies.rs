//! Replies by MQTT to requests by HTTP: a flow keeps a request in memory, publishes, and answers when the reply comes.

use std::collections::{HashMap, HashSet};

use super::edges::edges;
use crate::document::{Document, NodeConfig};

/// What an `mqtt in` node that answers HTTP requests does besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Nothing that anybody outside of the replica would notice: it may run in every replica.
    Only,
    /// It publishes, writes, calls or changes what the group shares.
    AndMore,
}

/// Types that change nothing outside of their replica.
const HARMLESS: [&str; 21] = [
    "mqtt in",
    "function",
    "change",
    "switch",
    "template",
    "json",
    "xml",
    "csv",
    "html",
    "yaml",
    "range",
    "split",
    "debug",
    "link in",
    "link out",
    "junction",
    "http response",
    "comment",
    "subflow",
    "catch",
    "complete",
];

/// The `mqtt in` nodes whose messages answer HTTP requests: an http response can be reached, and on the way something is
/// looked up in context, where only the replica with the request has it.
pub(crate) fn replies(document: &Document) -> HashMap<String, Reply> {
    let entries = || document.entries().iter().filter(|node| !node.disabled);
    let has = |kind: &str| entries().any(|node| node.kind == kind);
    if !has("http in") || !has("mqtt in") {
        return HashMap::new();
    }
    let edges = edges(document);
    let found = entries().filter(|node| node.kind == "mqtt in" && !node.str("topic").starts_with("$share/"));
    found.filter_map(|node| Some((node.id.clone(), reply(document, &edges, &node.id)?))).collect()
}

fn reply(document: &Document, edges: &HashMap<&str, Vec<&str>>, from: &str) -> Option<Reply> {
    let (mut queue, mut seen) = (vec![from], HashSet::from([from]));
    let (mut answers, mut looks_up, mut harmless) = (false, false, true);
    while let Some(id) = queue.pop() {
        let Some(node) = document.get(id).filter(|node| !node.disabled) else { continue };
        answers |= node.kind == "http response";
        looks_up |= reads_memory(node);
        harmless &= is_harmless(node);
        for next in edges.get(id).into_iter().flatten() {
            if seen.insert(next) {
                queue.push(next);
            }
        }
    }
    (answers && looks_up).then_some(if harmless { Reply::Only } else { Reply::AndMore })
}

fn code(node: &NodeConfig) -> &str {
    if node.kind == "function" { node.str("func") } else { "" }
}

/// All its fields as JSON.
fn text_of(node: &NodeConfig) -> String {
    serde_json::to_string(&*node.props).unwrap_or_default()
}

fn reads_memory(node: &NodeConfig) -> bool {
    let by_code = ["flow.get(", "global.get(", "context.get("].iter().any(|call| code(node).contains(call));
    let typed = matches!(node.kind.as_str(), "change" | "switch") && {
        let text = text_of(node);
        text.contains("\"flow\"") || text.contains("\"global\"")
    };
    by_code || typed
}

fn is_harmless(node: &NodeConfig) -> bool {
    let known = HARMLESS.contains(&node.kind.as_str()) || node.kind.starts_with("subflow:");
    let shares = matches!(node.kind.as_str(), "function" | "change") && text_of(node).contains("shared");
    let returns = node.kind == "link out" && node.str("mode") == "return";
    known && !shares && !returns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(more: &str) -> HashMap<String, Reply> {
        let text = format!(
            r#"[{{"id":"h","type":"http in","wires":[["k"]]}},
            {{"id":"k","type":"function","func":"flow.set('p', msg); return msg","wires":[["o"]]}},
            {{"id":"o","type":"mqtt out"}},
            {{"id":"i","type":"mqtt in","topic":"res","wires":[["g"]]}},
            {{"id":"r","type":"http response"}}, {more}]"#
        );
        replies(&Document::parse(&text).unwrap())
    }

    #[test]
    fn who_answers_requests_is_found_and_whether_it_does_more() {
        let found = |more| kinds(more).get("i").copied();
        assert_eq!(
            found(r#"{"id":"g","type":"function","func":"return flow.get('p')","wires":[["r"]]}"#),
            Some(Reply::Only)
        );
        let change =
            r#"{"id":"g","type":"change","rules":[{"t":"set","p":"res","to":"p","tot":"flow"}],"wires":[["r","o"]]}"#;
        assert_eq!(found(change), Some(Reply::AndMore), "it publishes, too");
        assert_eq!(
            found(r#"{"id":"g","type":"function","func":"return msg","wires":[["r"]]}"#),
            None,
            "nothing is looked up"
        );
        assert_eq!(
            found(r#"{"id":"g","type":"function","func":"flow.get('p')","wires":[["o"]]}"#),
            None,
            "it answers nothing"
        );
        let shared = r#"{"id":"g","type":"function","func":"flow.incr('n', 1, 'shared'); return flow.get('p')","wires":[["r"]]}"#;
        assert_eq!(found(shared), Some(Reply::AndMore));
    }
}
