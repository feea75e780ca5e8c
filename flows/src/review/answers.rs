//! Which http in nodes reach an http response node.

use std::collections::{HashMap, HashSet};

use crate::document::{Document, NodeConfig};
use crate::reach::edges;

/// The ids of http in nodes from which no http response can be reached: along wires, links, subflows and catch nodes.
pub(super) fn unanswered(document: &Document) -> HashSet<&str> {
    let edges = edges(document);
    let live = |node: &&NodeConfig| node.kind == "http in" && !node.disabled;
    document
        .entries()
        .iter()
        .filter(live)
        .filter(|node| !reaches(document, &edges, &node.id))
        .map(|node| node.id.as_str())
        .collect()
}

fn reaches(document: &Document, edges: &HashMap<&str, Vec<&str>>, from: &str) -> bool {
    let (mut queue, mut seen) = (vec![from], HashSet::from([from]));
    while let Some(id) = queue.pop() {
        let Some(node) = document.get(id) else { continue };
        let answers = node.kind == "http response"
            || (node.kind == "function" && node.str("func").contains(".res."))
            || (node.kind == "link call" && node.str("linkType") == "dynamic")
            || (node.kind == "link out" && node.str("mode") == "return" && id != from);
        if answers {
            return true;
        }
        for next in edges.get(id).into_iter().flatten() {
            if seen.insert(next) {
                queue.push(next);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_subflows_are_followed() {
        let document = Document::parse(
            r#"[{"id":"a","type":"http in","wires":[["l"]]},{"id":"l","type":"link out","links":["m"]},
            {"id":"m","type":"link in","wires":[["i"]]},{"id":"i","type":"subflow:s","wires":[["r"]]},
            {"id":"s","type":"subflow","in":[{"wires":[]}]},{"id":"r","type":"http response"},
            {"id":"b","type":"http in","wires":[["d"]]},{"id":"d","type":"debug"}]"#,
        )
        .unwrap();
        assert_eq!(unanswered(&document), HashSet::from(["b"]));
    }
}
