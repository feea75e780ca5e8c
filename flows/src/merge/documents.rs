//! Two documents that come from one.

use serde_json::Value;

use super::conflict::Conflict;
use super::entry::{merge_fields, same_but_layout};
use crate::document::{Document, NodeConfig};

/// The changes of both sides in one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The entries; where there are conflicts, they are ours.
    pub flows: Value,
    /// What both changed in different ways. With any, `flows` is not to be used as it is.
    pub conflicts: Vec<Conflict>,
}

/// Joins what `ours` and `theirs` changed of `base`, node by node and field by field. Lists of ids (`wires`, a group's
/// `nodes`) are joined, and the place in the editor is ours where both moved a node.
///
/// ```
/// use flotilla_flows::{Document, merge};
/// use serde_json::json;
///
/// let with = |name: &str, func: &str| {
///     let flows = json!([{"id": "f", "type": "function", "name": name, "func": func, "wires": []}]);
///     Document::from_value(flows).unwrap()
/// };
/// let base = with("old", "return msg;");
/// let merged = merge(&base, &with("new", "return msg;"), &with("old", "return null;"));
/// assert!(merged.conflicts.is_empty());
/// assert_eq!((&merged.flows[0]["name"], &merged.flows[0]["func"]), (&json!("new"), &json!("return null;")));
/// let merged = merge(&base, &with("one", "return msg;"), &with("two", "return msg;"));
/// assert_eq!(merged.conflicts.len(), 1);
/// ```
pub fn merge(base: &Document, ours: &Document, theirs: &Document) -> Merged {
    let mut merged = Vec::new();
    let mut conflicts = Vec::new();
    for our in ours.entries() {
        let tab = title(ours, &our.z);
        match (base.get(&our.id), theirs.get(&our.id)) {
            (None, None) => merged.push(our.clone()),
            (was, Some(their)) => {
                let nothing = serde_json::Map::new();
                let was = was.map_or(&nothing, |was| &*was.props);
                let (fields, differ) = merge_fields(was, &our.props, &their.props);
                let what = if was.is_empty() { "both added it, with different values" } else { "both changed it" };
                conflicts.extend(differ.iter().map(|field| Conflict::new(our, &tab, field, what)));
                merged.push(NodeConfig::from_props(fields));
            }
            (Some(was), None) => {
                if !same_but_layout(&was.props, &our.props) {
                    conflicts.push(Conflict::new(our, &tab, "", "one side changed it, the other removed it"));
                    merged.push(our.clone());
                }
            }
        }
    }
    for (at, their) in theirs.entries().iter().enumerate() {
        if ours.get(&their.id).is_some() {
            continue;
        }
        match base.get(&their.id) {
            None => {
                // Behind the one that it is behind on their side.
                let before = theirs.entries()[..at].iter().rev();
                let mut places = before.map(|entry| merged.iter().position(|other: &NodeConfig| other.id == entry.id));
                let place = places.find_map(|place| place).map_or(0, |place| place + 1);
                merged.insert(place, their.clone());
            }
            Some(was) if same_but_layout(&was.props, &their.props) => {}
            Some(_) => {
                let what = "one side changed it, the other removed it";
                conflicts.push(Conflict::new(their, &title(theirs, &their.z), "", what));
            }
        }
    }
    let merged = in_order(merged, base, ours, theirs);
    conflicts.extend(homeless(&merged, [base, ours, theirs]));
    Merged {
        flows: Value::Array(merged.into_iter().map(|entry| Value::Object(entry.props.into_map())).collect()),
        conflicts,
    }
}

/// Node-RED starts nodes and shows tabs in the order of the document. It is ours, unless only they changed it: then it is
/// theirs, and what only we have stays behind what it is behind on our side.
fn in_order(merged: Vec<NodeConfig>, base: &Document, ours: &Document, theirs: &Document) -> Vec<NodeConfig> {
    let common = |document: &Document| -> Vec<String> {
        let everywhere = |id: &str| [base, ours, theirs].iter().all(|document| document.get(id).is_some());
        document.entries().iter().filter(|entry| everywhere(&entry.id)).map(|entry| entry.id.clone()).collect()
    };
    let was = common(base);
    if common(ours) != was || common(theirs) == was {
        return merged;
    }
    let ids: Vec<String> = merged.iter().map(|entry| entry.id.clone()).collect();
    let mut order: Vec<&str> = Vec::new();
    let they = theirs.entries().iter().map(|entry| entry.id.as_str());
    order.extend(they.filter(|id| ids.iter().any(|known| known == id)));
    for (at, id) in ids.iter().enumerate() {
        if !order.contains(&id.as_str()) {
            let before = ids[..at].iter().rev().find_map(|other| order.iter().position(|known| known == other));
            order.insert(before.map_or(0, |place| place + 1), id);
        }
    }
    let mut rest: Vec<Option<NodeConfig>> = merged.into_iter().map(Some).collect();
    let mut take = |id: &str| ids.iter().position(|known| known == id).and_then(|at| rest[at].take());
    order.into_iter().filter_map(&mut take).collect()
}

/// Nodes that one side put on a tab (or into a subflow) that the other side removed.
fn homeless(merged: &[NodeConfig], all: [&Document; 3]) -> Vec<Conflict> {
    let there = |id: &str| merged.iter().any(|entry| entry.id == id);
    let was = |id: &str| all.iter().any(|document| document.get(id).is_some());
    let lost = merged.iter().filter(|entry| !entry.z.is_empty() && !there(&entry.z) && was(&entry.z));
    let conflict = |entry: &NodeConfig| {
        let tab = all.iter().map(|document| title(document, &entry.z)).find(|title| !title.is_empty());
        let what = "one side added or changed it, the other removed its tab";
        Conflict::new(entry, &tab.unwrap_or_default(), "", what)
    };
    lost.map(conflict).collect()
}

fn title(document: &Document, id: &str) -> String {
    document.get(id).map(NodeConfig::label).unwrap_or_default()
}
