//! One tab of a flow document, taken out and put in. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// What Node-RED's editor sends for a password that did not change.
const UNCHANGED: &str = "__PWRD__";

/// Takes the credentials out of nodes, as editors send them; by `NODE.FIELD`.
pub(super) fn take_credentials(flows: &mut Value) -> BTreeMap<String, String> {
    let mut taken = BTreeMap::new();
    for node in flows.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let Some(Value::Object(fields)) = node.remove("credentials") else { continue };
        let id = node.get("id").and_then(Value::as_str).unwrap_or_default();
        for (field, value) in fields {
            // `has_password: true` is what a GET shows in place of it.
            if let Value::String(value) = value
                && value != UNCHANGED
            {
                taken.insert(format!("{id}.{field}"), value);
            }
        }
    }
    taken
}

fn text<'a>(node: &'a Value, field: &str) -> &'a str {
    node[field].as_str().unwrap_or_default()
}

/// A node on the canvas has a place; a configuration node has none.
fn is_config(node: &Value) -> bool {
    node.get("x").is_none() || node.get("y").is_none()
}

fn is_tab(node: &Value) -> bool {
    matches!(text(node, "type"), "tab")
}

/// A tab with its nodes, or `global`: configuration nodes and subflows of all tabs. `None` when there is none.
pub(super) fn get(flows: &[Value], id: &str) -> Option<Value> {
    if id == "global" {
        let configs = flows.iter().filter(|node| text(node, "z").is_empty() && is_config(node));
        let configs: Vec<&Value> = configs.filter(|node| !is_tab(node) && text(node, "type") != "subflow").collect();
        let subflows = flows.iter().filter(|node| text(node, "type") == "subflow");
        let subflows: Vec<Value> = subflows.map(|subflow| with_content(flows, subflow)).collect();
        let mut global = Map::from_iter([("id".to_owned(), json!("global"))]);
        for (name, list) in [("configs", json!(configs)), ("subflows", json!(subflows))] {
            if list.as_array().is_some_and(|list| !list.is_empty()) {
                global.insert(name.to_owned(), list);
            }
        }
        return Some(Value::Object(global));
    }
    let tab = flows.iter().find(|node| is_tab(node) && text(node, "id") == id)?;
    let mut flow = with_content(flows, tab);
    if let Value::Object(fields) = &mut flow {
        fields.remove("type");
    }
    Some(flow)
}

/// A tab or subflow with what is on it.
fn with_content(flows: &[Value], holder: &Value) -> Value {
    let on_it = || flows.iter().filter(|node| text(node, "z") == text(holder, "id"));
    let mut flow = holder.clone();
    flow["nodes"] = on_it().filter(|node| !is_config(node)).cloned().collect();
    let configs: Vec<Value> = on_it().filter(|node| is_config(node)).cloned().collect();
    if !configs.is_empty() {
        flow["configs"] = configs.into();
    }
    flow
}

/// The document with a tab put in, in the place of the one with its id where there is one; `global` replaces configuration
/// nodes and subflows of all tabs.
///
/// # Errors
/// Why it cannot be put in.
pub(super) fn put(flows: &[Value], id: &str, flow: Value) -> Result<Vec<Value>, String> {
    let Value::Object(mut flow) = flow else { return Err("a flow is an object".to_owned()) };
    let mut take = |name: &str| match flow.remove(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(format!("{name} is an array")),
    };
    let (nodes, configs, subflows) = (take("nodes")?, take("configs")?, take("subflows")?);
    let mut added: Vec<Value> = Vec::new();
    if id == "global" {
        for subflow in subflows {
            let Value::Object(mut subflow) = subflow else { return Err("a subflow is an object".to_owned()) };
            let inner = [subflow.remove("nodes"), subflow.remove("configs")];
            let inner = inner.into_iter().flatten().filter_map(|list| list.as_array().cloned()).flatten();
            added.push(Value::Object(subflow));
            added.extend(inner);
        }
        added.extend(configs);
    } else {
        // As the editor writes it: a tab that did not change is the same text.
        let mut tab = Map::from_iter([("id".to_owned(), id.into()), ("type".to_owned(), "tab".into())]);
        tab.extend(flow.into_iter().filter(|(name, _)| name != "id" && name != "type"));
        added.push(Value::Object(tab));
        for mut node in nodes.into_iter().chain(configs) {
            if !node.is_object() {
                return Err("a node is an object".to_owned());
            }
            node["z"] = id.into();
            added.push(node);
        }
    }
    let ids: Vec<&str> = added.iter().map(|node| text(node, "id")).collect();
    if ids.contains(&"") {
        return Err("a node has no id".to_owned());
    }
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    if distinct.len() < ids.len() {
        return Err("two nodes have the same id".to_owned());
    }
    let kept = remove(flows, id);
    if let Some(taken) = kept.iter().map(|node| text(node, "id")).find(|other| distinct.contains(other)) {
        return Err(format!("duplicate id: \"{taken}\" is on another flow"));
    }
    let place = flows.iter().position(|node| text(node, "id") == id).unwrap_or(kept.len()).min(kept.len());
    Ok(kept[..place].iter().cloned().chain(added).chain(kept[place..].iter().cloned()).collect())
}

/// The document without a tab and what is on it.
pub(super) fn remove(flows: &[Value], id: &str) -> Vec<Value> {
    let subflows: BTreeSet<&str> =
        flows.iter().filter(|node| text(node, "type") == "subflow").map(|node| text(node, "id")).collect();
    let is_of_it = |node: &Value| match id {
        "global" => {
            let z = text(node, "z");
            subflows.contains(z)
                || z.is_empty() && !is_tab(node) && (is_config(node) || text(node, "type") == "subflow")
        }
        _ => text(node, "id") == id || text(node, "z") == id,
    };
    flows.iter().filter(|node| !is_of_it(node)).cloned().collect()
}

/// Whether there is such a tab.
pub(super) fn has(flows: &[Value], id: &str) -> bool {
    id == "global" || flows.iter().any(|node| is_tab(node) && text(node, "id") == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Vec<Value> {
        let document = json!([
            {"id": "t1", "type": "tab", "label": "one"},
            {"id": "t2", "type": "tab", "label": "two", "disabled": true},
            {"id": "s", "type": "subflow", "name": "sub"},
            {"id": "sn", "type": "function", "z": "s", "x": 1, "y": 1},
            {"id": "b", "type": "mqtt-broker", "z": ""},
            {"id": "c", "type": "tls-config", "z": "t2"},
            {"id": "n1", "type": "inject", "z": "t1", "x": 1, "y": 1, "wires": [["n2"]]},
            {"id": "n2", "type": "debug", "z": "t1", "x": 2, "y": 1},
        ]);
        document.as_array().unwrap().clone()
    }

    #[test]
    fn a_tab_is_taken_out_and_put_in_again() {
        let flows = document();
        let one = get(&flows, "t1").unwrap();
        assert_eq!((one["label"].as_str(), one["nodes"].as_array().unwrap().len()), (Some("one"), 2));
        assert_eq!(get(&flows, "t2").unwrap()["configs"][0]["id"], "c");
        assert!(get(&flows, "n1").is_none() && get(&flows, "nowhere").is_none());
        let global = get(&flows, "global").unwrap();
        assert_eq!(
            (&global["configs"][0]["id"], &global["subflows"][0]["nodes"][0]["id"]),
            (&json!("b"), &json!("sn"))
        );
        let sorted = |flows: &[Value]| {
            let mut ids: Vec<String> = flows.iter().map(ToString::to_string).collect();
            ids.sort();
            ids
        };
        for id in ["t2", "global"] {
            let again = put(&flows, id, get(&flows, id).unwrap()).unwrap();
            assert_eq!(again.len(), flows.len(), "{id}: {again:?}");
            assert_eq!(again.iter().filter(|node| node["id"] == "c").count(), 1);
            let ids = |flows: &[Value]| flows.iter().map(|node| text(node, "id").to_owned()).collect::<BTreeSet<_>>();
            assert_eq!(ids(&again), ids(&flows), "{id}");
        }
        assert_eq!(sorted(&put(&flows, "t1", one).unwrap()), sorted(&flows));
        let left = remove(&flows, "t1");
        assert!(left.len() == 5 && !has(&left, "t1") && has(&left, "t2"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let flows = document();
        for (flow, reason) in [
            (json!([]), "a flow is an object"),
            (json!({"nodes": {}}), "nodes is an array"),
            (json!({"nodes": [{"type": "debug"}]}), "a node has no id"),
            (json!({"nodes": [{"id": "x"}, {"id": "x"}]}), "two nodes have the same id"),
            (json!({"nodes": [{"id": "n1"}]}), "duplicate id: \"n1\" is on another flow"),
        ] {
            assert_eq!(put(&flows, "t2", flow.clone()).unwrap_err(), reason, "{flow}");
        }
    }

    #[test]
    fn credentials_are_taken_out_of_nodes() {
        let mut flows = json!([
            {"id": "a", "credentials": {"user": "u", "password": "p", "has_password": true}},
            {"id": "b", "credentials": {"password": "__PWRD__"}},
            {"id": "c"},
        ]);
        let taken = take_credentials(&mut flows);
        assert_eq!(
            taken,
            BTreeMap::from([("a.user".to_owned(), "u".to_owned()), ("a.password".to_owned(), "p".to_owned())])
        );
        assert_eq!(flows, json!([{"id": "a"}, {"id": "b"}, {"id": "c"}]));
    }
}
