//! One entry that both sides changed.

use serde_json::{Map, Value};

use super::lists::merge_lists;

/// Where the editor shows it: no reason for a conflict.
fn is_layout(field: &str) -> bool {
    matches!(field, "x" | "y" | "w" | "h")
}

/// Fields that hold ids: changes of both sides are joined.
fn is_list(field: &str) -> bool {
    matches!(field, "wires" | "nodes" | "links" | "scope")
}

/// Joins the changes of both sides; the fields that cannot be joined are named and have our value.
pub(super) fn merge_fields(
    base: &Map<String, Value>,
    ours: &Map<String, Value>,
    theirs: &Map<String, Value>,
) -> (Map<String, Value>, Vec<String>) {
    let mut fields = Map::new();
    let mut conflicts = Vec::new();
    let new = theirs.keys().filter(|name| !ours.contains_key(*name));
    for name in ours.keys().chain(new) {
        let (was, our, their) = (base.get(name), ours.get(name), theirs.get(name));
        let value = if our == their || their == was {
            our.cloned()
        } else if our == was {
            their.cloned()
        } else if is_layout(name) {
            our.cloned()
        } else {
            let joined = match (was, our, their) {
                (Some(was), Some(our), Some(their)) if is_list(name) => merge_lists(was, our, their),
                _ => None,
            };
            joined.or_else(|| {
                conflicts.push(name.clone());
                our.cloned()
            })
        };
        if let Some(value) = value {
            fields.insert(name.clone(), value);
        }
    }
    (fields, conflicts)
}

/// True when nothing but the place in the editor differs.
pub(super) fn same_but_layout(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    let names = a.keys().chain(b.keys());
    names.into_iter().all(|name| is_layout(name) || a.get(name) == b.get(name))
}
