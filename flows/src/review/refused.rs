//! What a deploy would refuse: subflows that contain themselves, instances of subflows that are not there, and so on.

use std::collections::HashSet;

use crate::document::{Document, NodeConfig};
use crate::expand::expand;
use crate::problem::Severity::Error;

use super::finding::{Finding, Says};

/// A finding for each problem that keeps the document from running. Unknown node types have a rule of their own.
pub(super) fn refused(document: &Document) -> Vec<Finding> {
    let mut seen = HashSet::new();
    let problems = expand(document).problems.into_iter().filter(crate::problem::Problem::is_error);
    let findings = problems.filter_map(|problem| {
        let node = entry(document, &problem.node);
        let id = node.map_or(problem.node.as_str(), |node| node.id.as_str());
        if !seen.insert((id.to_owned(), problem.message.clone())) {
            return None;
        }
        let (what, advice) = problem.message.split_once(": ").unwrap_or((&problem.message, "take it out"));
        let says = Says::new(Error, "cannot-run", &format!("{what}: the flow is refused"), advice);
        let node = node.cloned().unwrap_or_else(|| NodeConfig::from_props(serde_json::Map::new()));
        let place = tab(document, &node);
        Some(Finding { node: id.to_owned(), ..says.of(&node, place) })
    });
    findings.collect()
}

/// The entry of an id, which inside a subflow instance has the ids of the instances before it.
fn entry<'a>(document: &'a Document, id: &str) -> Option<&'a NodeConfig> {
    let after_each_dash = id.match_indices('-').map(|(at, _)| &id[at + 1..]);
    std::iter::once(id).chain(after_each_dash).find_map(|id| document.get(id))
}

/// The name of the tab or subflow that a node is in.
pub(super) fn tab<'a>(document: &'a Document, node: &NodeConfig) -> &'a str {
    document.get(&node.z).map_or("(global)", |tab| if tab.name.is_empty() { &tab.id } else { &tab.name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_is_found_once_at_its_entry() {
        let document = Document::parse(
            r#"[{"id":"t","type":"tab","label":"T"},{"id":"s-1","type":"subflow","name":"S"},
            {"id":"again","type":"subflow:s-1","z":"s-1","x":1,"y":1,"wires":[]},
            {"id":"i1","type":"subflow:s-1","z":"t","x":1,"y":1,"wires":[]},
            {"id":"i2","type":"subflow:s-1","z":"t","x":1,"y":1,"wires":[]},
            {"id":"lost","type":"subflow:none","z":"t","x":1,"y":1,"wires":[]}]"#,
        )
        .unwrap();
        let found = refused(&document);
        let found: Vec<_> = found.iter().map(|finding| (finding.node.as_str(), finding.tab.as_str())).collect();
        assert_eq!(found, [("again", "S"), ("lost", "T")]);
    }
}
