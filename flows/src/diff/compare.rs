//! Comparing two flow documents, node by node.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::change::{Change, Kind};

type Nodes<'a> = BTreeMap<&'a str, &'a Map<String, Value>>;

/// What differs between two flow documents, by tab and node. Either may be an array of nodes or an object with `flows`.
///
/// ```
/// use flotilla_flows::{ChangeKind, diff};
/// use serde_json::json;
///
/// let old = json!([{"id": "t", "type": "tab", "label": "Line 1"},
///                  {"id": "f", "type": "function", "z": "t", "name": "mark", "func": "return msg;", "x": 10, "wires": []}]);
/// let mut new = old.clone();
/// new[1]["x"] = 20.into();
/// let changes = diff(&old, &new);
/// assert_eq!((changes[0].tab.as_str(), changes[0].kind), ("Line 1", ChangeKind::Moved));
/// new[1]["func"] = "return null;".into();
/// let changes = diff(&old, &new);
/// assert_eq!((changes[0].name.as_str(), changes[0].kind), ("mark", ChangeKind::Changed));
/// ```
pub fn diff(old: &Value, new: &Value) -> Vec<Change> {
    let (old, new) = (nodes(old), nodes(new));
    let mut changes: Vec<Change> = Vec::new();
    for (id, node) in &new {
        match old.get(id) {
            None => changes.push(change(&new, id, node, Kind::Added, Vec::new())),
            Some(before) => {
                let fields = fields(before, node);
                if !fields.is_empty() {
                    let kind = if fields.iter().all(|field| is_layout(field)) { Kind::Moved } else { Kind::Changed };
                    changes.push(change(&new, id, node, kind, fields));
                }
            }
        }
    }
    let removed = old.iter().filter(|(id, _)| !new.contains_key(*id));
    changes.extend(removed.map(|(id, node)| change(&old, id, node, Kind::Removed, Vec::new())));
    changes.sort();
    changes
}

fn nodes(document: &Value) -> Nodes<'_> {
    let list = document.as_array().or_else(|| document.get("flows")?.as_array());
    list.into_iter().flatten().filter_map(|node| Some((node.get("id")?.as_str()?, node.as_object()?))).collect()
}

/// What the editor alone cares for, and wires: a node does not restart for them.
fn is_layout(field: &str) -> bool {
    matches!(field, "x" | "y" | "w" | "h" | "wires" | "g")
}

fn fields(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter(|key| old.get(*key) != new.get(*key)).cloned().collect()
}

fn text<'a>(node: &'a Map<String, Value>, field: &str) -> &'a str {
    node.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn title<'a>(id: &'a str, node: &'a Map<String, Value>) -> &'a str {
    [text(node, "name"), text(node, "label"), id].into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

fn change(all: &Nodes<'_>, id: &str, node: &Map<String, Value>, kind: Kind, fields: Vec<String>) -> Change {
    let tab = all.get(text(node, "z")).map(|tab| title(text(node, "z"), tab).to_owned());
    Change {
        tab: tab.unwrap_or_default(),
        kind,
        node_type: text(node, "type").to_owned(),
        name: title(id, node).to_owned(),
        id: id.to_owned(),
        fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nodes_that_only_moved_are_told_from_those_that_changed() {
        let old = json!([
            {"id": "t", "type": "tab", "label": "Plant"},
            {"id": "a", "z": "t", "type": "function", "name": "calc", "func": "1", "x": 1},
            {"id": "b", "z": "t", "type": "debug", "x": 1},
            {"id": "c", "z": "t", "type": "debug"}
        ]);
        let new = json!([
            {"id": "t", "type": "tab", "label": "Plant"},
            {"id": "a", "z": "t", "type": "function", "name": "calc", "func": "2", "x": 2},
            {"id": "b", "z": "t", "type": "debug", "x": 2},
            {"id": "d", "type": "mqtt-broker", "name": "hall"}
        ]);
        let found: Vec<_> =
            diff(&old, &new).into_iter().map(|change| (change.tab, change.kind, change.name, change.fields)).collect();
        let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                (String::new(), Kind::Added, "hall".to_owned(), vec![]),
                ("Plant".to_owned(), Kind::Removed, "c".to_owned(), vec![]),
                ("Plant".to_owned(), Kind::Changed, "calc".to_owned(), strings(&["func", "x"])),
                ("Plant".to_owned(), Kind::Moved, "b".to_owned(), strings(&["x"])),
            ]
        );
        assert!(diff(&old, &old).is_empty());
    }
}
