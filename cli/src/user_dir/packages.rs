//! npm nodes of a user directory: they are not run here, and are named with what needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use flotilla_flows::npm_package;
use serde_json::{Map, Value};

/// A package that the flow needs and that does not run here: its name, and how many nodes of the flow are of its types.
pub type Missing = (String, usize);

/// A package whose nodes are here without it.
const HERE: &str = "@flowfuse/nr-project-nodes";

/// The packages with nodes in `package.json`, and how many nodes of the flow each would provide.
pub fn missing(dir: &Path, flows: &Value) -> anyhow::Result<Vec<Missing>> {
    let file = dir.join("package.json");
    let Ok(text) = std::fs::read_to_string(&file) else { return Ok(Vec::new()) };
    let manifest: Map<String, Value> =
        serde_json::from_str(&text).with_context(|| format!("{} is not a JSON object", file.display()))?;
    let Some(Value::Object(dependencies)) = manifest.get("dependencies") else { return Ok(Vec::new()) };
    let counts = counts(flows);
    let mut found = Vec::new();
    for package in dependencies.keys().filter(|package| package.as_str() != HERE) {
        let types = node_types(&dir.join("node_modules").join(package), package);
        let is_nodes = types.is_some() || package.contains("node-red");
        if is_nodes {
            let types = types.unwrap_or_default();
            let needs = |kind: &String| types.contains(kind) || npm_package(kind) == Some(package.as_str());
            found.push((package.clone(), counts.iter().filter(|(kind, _)| needs(kind)).map(|(_, count)| count).sum()));
        }
    }
    Ok(found)
}

fn counts(flows: &Value) -> BTreeMap<String, usize> {
    let nodes = flows.as_array().or_else(|| flows.get("flows")?.as_array());
    let mut counts = BTreeMap::new();
    for node in nodes.into_iter().flatten() {
        if let Some(kind) = node["type"].as_str() {
            *counts.entry(kind.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// The types that an installed package registers; `None` when it is not there or has no nodes.
fn node_types(folder: &Path, package: &str) -> Option<BTreeSet<String>> {
    let manifest = std::fs::read_to_string(folder.join("package.json")).ok()?;
    let manifest: Value = serde_json::from_str(&manifest).ok()?;
    let Value::Object(files) = manifest.get("node-red")?.get("nodes")? else { return None };
    let mut types = BTreeSet::new();
    for file in files.values().filter_map(Value::as_str) {
        let source = std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| {
            tracing::debug!("{package}: {file} cannot be read: {error}");
            String::new()
        });
        types.extend(registered(&source));
    }
    Some(types)
}

/// What a source file gives to `RED.nodes.registerType`.
fn registered(source: &str) -> impl Iterator<Item = String> {
    source.split("registerType(").skip(1).filter_map(|rest| {
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'))?;
        rest[1..].split_once(quote).map(|(name, _)| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn packages_are_named_with_the_nodes_that_need_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let package = json!({"dependencies": {"node-red-contrib-x": "1", "moment": "2", "node-red-contrib-gone": "1"}});
        std::fs::write(at("package.json"), package.to_string()).unwrap();
        std::fs::create_dir_all(at("node_modules/node-red-contrib-x")).unwrap();
        std::fs::create_dir_all(at("node_modules/moment")).unwrap();
        std::fs::write(at("node_modules/moment/package.json"), "{}").unwrap();
        let manifest = json!({"node-red": {"nodes": {"x": "x.js"}}});
        std::fs::write(at("node_modules/node-red-contrib-x/package.json"), manifest.to_string()).unwrap();
        let source = "RED.nodes.registerType('x-in', X); RED.nodes.registerType(\"x-out\",Y,{});";
        std::fs::write(at("node_modules/node-red-contrib-x/x.js"), source).unwrap();
        let flows = json!([{"type": "x-in"}, {"type": "x-out"}, {"type": "x-out"}, {"type": "inject"}]);
        let found = missing(folder.path(), &flows).unwrap();
        assert_eq!(found, [("node-red-contrib-x".to_owned(), 3), ("node-red-contrib-gone".to_owned(), 0)]);
    }
}
