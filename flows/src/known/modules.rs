//! The npm modules that function nodes name in their `libs`.

use crate::document::{Document, NodeConfig};

/// Parts of Node.js that functions have.
const IN_SANDBOX: &[&str] =
    &["assert", "buffer", "crypto", "events", "os", "path", "process", "querystring", "timers", "url", "util"];

/// Parts of Node.js that they do not have: files, processes, the network, and what is made of them.
const NODE_JS: &[&str] = &[
    "async_hooks",
    "child_process",
    "cluster",
    "constants",
    "dgram",
    "dns",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "perf_hooks",
    "punycode",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "tls",
    "tty",
    "v8",
    "vm",
    "worker_threads",
    "zlib",
];

/// An npm package that function nodes need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name: `moment`, `@scope/name`.
    pub package: String,
    /// The version or range that is asked for, as npm reads it; any when the flow names none.
    pub range: Option<String>,
    /// What the nodes load of it: the package itself, or a part such as `lodash/fp`.
    pub modules: Vec<String>,
    /// The labels of the nodes.
    pub nodes: Vec<String>,
}

/// Two nodes ask for different versions of a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "function \"{node}\" needs {package} in version {range}, and \"{other}\" in version {other_range}: a group has one version of \
     a package, so let both name the same"
)]
pub struct VersionConflict {
    /// The package.
    pub package: String,
    /// A node.
    pub node: String,
    /// What it asks for.
    pub range: String,
    /// The other node.
    pub other: String,
    /// What that asks for.
    pub other_range: String,
}

fn bare(module: &str) -> &str {
    module.strip_prefix("node:").unwrap_or(module)
}

fn is_part_of(list: &[&str], module: &str) -> bool {
    list.contains(&bare(module).split('/').next().unwrap_or_default())
}

/// True for a part of Node.js that functions have.
fn is_in_sandbox(module: &str) -> bool {
    is_part_of(IN_SANDBOX, module)
}

/// True for a part of Node.js that functions do not have.
pub fn is_node_js(module: &str) -> bool {
    is_part_of(NODE_JS, module)
}

/// The modules in the `libs` of a function node, each with the version after its `@`.
pub fn libs(node: &NodeConfig) -> Vec<(&str, Option<&str>)> {
    let libs = node.get("libs").and_then(serde_json::Value::as_array).into_iter().flatten();
    let named = libs.filter_map(|lib| lib.get("module").and_then(serde_json::Value::as_str)).map(str::trim);
    let named = named.filter(|module| !module.is_empty());
    named
        .map(|module| match module.rfind('@') {
            Some(at) if at > 0 => (&module[..at], Some(&module[at + 1..]).filter(|range| !range.is_empty())),
            _ => (module, None),
        })
        .collect()
}

/// The package of a module: the first part of its name, the first two of one with a scope.
fn package_of(module: &str) -> String {
    let parts = if module.starts_with('@') { 2 } else { 1 };
    module.split('/').take(parts).collect::<Vec<_>>().join("/")
}

/// The npm packages that the function nodes of a document need, in the order of the document; parts of Node.js are none. Nodes
/// that are switched off count too: they may be switched on by the next deploy.
///
/// # Errors
/// When two nodes ask for different versions of a package.
pub fn wanted_modules(document: &Document) -> Result<Vec<Wanted>, VersionConflict> {
    let mut all: Vec<Wanted> = Vec::new();
    for node in document.entries().iter().filter(|node| node.kind == "function") {
        for (module, range) in libs(node) {
            if is_in_sandbox(module) || is_node_js(module) {
                continue;
            }
            let (package, label) = (package_of(module), node.label());
            let Some(known) = all.iter_mut().find(|known| known.package == package) else {
                let range = range.map(str::to_owned);
                all.push(Wanted { package, range, modules: vec![module.to_owned()], nodes: vec![label] });
                continue;
            };
            match (&known.range, range) {
                (Some(other), Some(range)) if other != range => {
                    let (range, other_range) = (range.to_owned(), other.clone());
                    let other = known.nodes.first().cloned().unwrap_or_default();
                    return Err(VersionConflict { package, node: label, range, other, other_range });
                }
                (None, Some(range)) => known.range = Some(range.to_owned()),
                _ => {}
            }
            if !known.modules.iter().any(|one| one == module) {
                known.modules.push(module.to_owned());
            }
            if !known.nodes.contains(&label) {
                known.nodes.push(label);
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(modules: &[&str]) -> Document {
        let nodes = modules.iter().enumerate().map(|(at, module)| {
            json!({"id": format!("f{at}"), "type": "function", "name": format!("F{at}"), "libs": [{"var": "x", "module": module}]})
        });
        Document::from_value(nodes.collect()).unwrap()
    }

    #[test]
    fn packages_ranges_and_parts_are_read() {
        let wanted = wanted_modules(&document(&[
            "lodash/fp",
            "lodash@4.17.21",
            "@s/n/part@^1",
            "node:fs",
            "util",
            "fs/promises",
        ]));
        let wanted = wanted.unwrap();
        let shown: Vec<String> = wanted
            .iter()
            .map(|one| {
                format!(
                    "{} {} {} {}",
                    one.package,
                    one.range.as_deref().unwrap_or("-"),
                    one.modules.join(","),
                    one.nodes.join(",")
                )
            })
            .collect();
        assert_eq!(shown, ["lodash 4.17.21 lodash/fp,lodash F0,F1", "@s/n ^1 @s/n/part F2"]);
    }

    #[test]
    fn two_versions_of_a_package_are_refused() {
        let conflict = wanted_modules(&document(&["moment@2.29.4", "moment@2.30.1"])).unwrap_err();
        assert!(conflict.to_string().contains("\"F1\" needs moment in version 2.30.1, and \"F0\" in version 2.29.4"));
    }
}
