//! A document becomes files.

use serde::Serialize;
use serde_json::Value;

use super::file::{FORMAT, GLOBAL, MANIFEST, Manifest, ORDER, SUBFLOWS, SplitFile, TABS, path};
use super::homes::{Home, is_container};
use super::lines::listed;
use super::order::{arrange, by_home};
use crate::document::{Document, NodeConfig};

/// The files of a document, sorted by path: the same document gives the same files. Credentials are in none of them.
///
/// ```
/// use flotilla_flows::{Document, join, split};
/// use serde_json::json;
///
/// let flows = json!([{"id": "t1", "type": "tab", "label": "Line 1"},
///                    {"id": "n1", "type": "debug", "z": "t1", "name": "", "x": 10, "y": 20, "wires": []}]);
/// let files = split(&Document::from_value(flows.clone()).unwrap());
/// assert!(files.iter().any(|file| file.path == "tabs/line-1.t1.json"), "{files:?}");
/// assert_eq!(join(&files).unwrap(), flows);
/// ```
pub fn split(document: &Document) -> Vec<SplitFile> {
    let entries = document.entries();
    let sorted = by_home(entries);
    let mut files = Vec::new();
    let (mut tabs, mut subflows) = (Vec::new(), Vec::new());
    for group in sorted.chunk_by(|(a, _), (b, _)| a == b) {
        let owner = group.iter().map(|(_, entry)| *entry).find(|entry| is_container(entry));
        let name = match (group.first().map(|(home, _)| *home), owner) {
            (Some(Home::Tab(_)), Some(tab)) => {
                tabs.push(tab.id.clone());
                path(TABS, &tab.name, &tab.id)
            }
            (Some(Home::Subflow(_)), Some(subflow)) => {
                subflows.push(subflow.id.clone());
                path(SUBFLOWS, &subflow.name, &subflow.id)
            }
            _ => GLOBAL.to_owned(),
        };
        files.push(SplitFile { path: name, text: text_of(group.iter().map(|(_, entry)| *entry)) });
    }
    let mut arranged: Vec<NodeConfig> = sorted.iter().map(|(_, entry)| (*entry).clone()).collect();
    arrange(&mut arranged);
    if arranged.iter().map(|entry| &entry.id).ne(entries.iter().map(|entry| &entry.id)) {
        let order: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        files.push(SplitFile { path: ORDER.to_owned(), text: pretty(&order) });
    }
    let manifest = Manifest { format: FORMAT, tabs, subflows };
    files.push(SplitFile { path: MANIFEST.to_owned(), text: pretty(&manifest) });
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn text_of<'a>(entries: impl Iterator<Item = &'a NodeConfig>) -> String {
    let entries: Vec<Value> = entries.map(|entry| Value::Object(listed(&entry.props))).collect();
    pretty(&entries)
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
