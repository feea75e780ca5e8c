//! Where a node is in the files.

use std::path::Path;

use crate::flow_folder;

/// The files of a document, to look nodes up in.
pub(super) struct Files(Vec<(String, String)>);

impl Files {
    /// Of a document that was read from `path`.
    pub(super) fn new(path: &Path, text: &str) -> Files {
        let name = path.to_string_lossy().replace('\\', "/");
        match flow_folder::read(path) {
            Ok(files) if path.is_dir() => {
                let name = name.trim_end_matches('/');
                Files(files.into_iter().map(|file| (format!("{name}/{}", file.path), file.text)).collect())
            }
            _ => Files(vec![(name, text.to_owned())]),
        }
    }

    /// The file and the line, from 1, of a node's id.
    pub(super) fn place(&self, node: &str) -> (&str, usize) {
        let wanted = serde_json::Value::from(node).to_string();
        for (path, text) in &self.0 {
            if let Some(line) = text.lines().position(|line| has_id(line, &wanted)) {
                return (path, line + 1);
            }
        }
        (self.0.first().map_or("", |(path, _)| path), 1)
    }
}

/// True for a line with `"id": WANTED`.
fn has_id(line: &str, wanted: &str) -> bool {
    line.match_indices("\"id\"").any(|(at, key)| {
        let rest = line[at + key.len()..].trim_start();
        rest.strip_prefix(':').is_some_and(|rest| rest.trim_start().starts_with(wanted))
    })
}
