//! Files become a document.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::file::{FORMAT, GLOBAL, MANIFEST, Manifest, ORDER, SUBFLOWS, SplitFile, TABS};
use super::homes::is_container;
use super::lines::joined;
use super::order::{arrange, follow};
use crate::document::NodeConfig;

/// Why files are no document that was split.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum JoinError {
    /// No manifest.
    #[error("{MANIFEST} is missing: `flotilla flows split` did not write this folder")]
    NoManifest,
    /// A file cannot be read.
    #[error("{path}, line {line}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// From 1; 0 when it is about the whole file.
        line: usize,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Two files have an entry of the same id: a tab's file was renamed by one and changed by another, for example.
    #[error("node \"{id}\" is in {first} and in {second}: remove one of them")]
    Twice {
        /// The node's id.
        id: String,
        /// A file.
        first: String,
        /// Another, or the same.
        second: String,
    },
    /// Written by a newer Flotilla.
    #[error("{MANIFEST} has format {0}, which a newer Flotilla wrote; this one reads format {FORMAT}: upgrade it")]
    Newer(u64),
}

/// The flow document of files that [`split`](super::split) wrote; files of other names do not count. A tab that the
/// manifest does not name comes after those that it names, and so merges of files are read.
///
/// # Errors
/// [`JoinError`].
pub fn join(files: &[SplitFile]) -> Result<Value, JoinError> {
    let by_path: BTreeMap<&str, &str> = files.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
    let manifest = by_path.get(MANIFEST).ok_or(JoinError::NoManifest)?;
    let manifest: Manifest = read(MANIFEST, manifest)?;
    if manifest.format > FORMAT {
        return Err(JoinError::Newer(manifest.format));
    }
    let mut owners: HashMap<String, &str> = HashMap::new();
    let mut parts: Vec<(usize, Vec<NodeConfig>)> = Vec::new();
    for (path, text) in by_path.iter().filter(|(path, _)| is_part(path)) {
        let entries = entries(path, text)?;
        for entry in &entries {
            if let Some(first) = owners.insert(entry.id.clone(), path) {
                let (id, first, second) = (entry.id.clone(), first.to_owned(), (*path).to_owned());
                return Err(JoinError::Twice { id, first, second });
            }
        }
        parts.push((place(&entries, &manifest), entries));
    }
    parts.sort_by_key(|(place, _)| *place);
    let mut entries: Vec<NodeConfig> = parts.into_iter().flat_map(|(_, entries)| entries).collect();
    arrange(&mut entries);
    if let Some(order) = by_path.get(ORDER) {
        let order: Vec<String> = read(ORDER, order)?;
        entries = follow(entries, &order);
    }
    Ok(Value::Array(entries.into_iter().map(|entry| Value::Object(entry.props.into_map())).collect()))
}

/// Where a file stands in the document: what is on no tab first, then the tabs, then the subflows.
fn place(entries: &[NodeConfig], manifest: &Manifest) -> usize {
    let Some(owner) = entries.iter().find(|entry| is_container(entry)) else { return 0 };
    let at = |ids: &[String]| ids.iter().position(|id| *id == owner.id).unwrap_or(ids.len());
    match &*owner.kind {
        "tab" => 1 + at(&manifest.tabs),
        _ => 2 + manifest.tabs.len() + at(&manifest.subflows),
    }
}

/// True for a file with entries.
fn is_part(path: &str) -> bool {
    let in_folder = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    path == GLOBAL || (path.strip_suffix(".json").is_some() && (in_folder(TABS) || in_folder(SUBFLOWS)))
}

fn entries(path: &str, text: &str) -> Result<Vec<NodeConfig>, JoinError> {
    let list: Vec<Map<String, Value>> = read(path, text)?;
    let entries: Vec<NodeConfig> = list.into_iter().map(|fields| NodeConfig::from_props(joined(fields))).collect();
    if entries.iter().any(|entry| entry.id.is_empty() || entry.kind.is_empty()) {
        let reason = "an entry has no \"id\" or no \"type\"".to_owned();
        return Err(JoinError::Unreadable { path: path.to_owned(), line: 0, reason });
    }
    Ok(entries)
}

fn read<T: serde::de::DeserializeOwned>(path: &str, text: &str) -> Result<T, JoinError> {
    if let Some(line) = text.lines().position(|line| line.starts_with("<<<<<<< ")) {
        let reason = "a merge left a conflict here: choose, and remove the marks".to_owned();
        return Err(JoinError::Unreadable { path: path.to_owned(), line: line + 1, reason });
    }
    serde_json::from_str(text).map_err(|error| JoinError::Unreadable {
        path: path.to_owned(),
        line: error.line(),
        reason: error.to_string(),
    })
}
