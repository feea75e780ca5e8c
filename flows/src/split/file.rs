//! The files of a document that was split.

use serde::{Deserialize, Serialize};

/// The file that says in which order the tabs are. A folder with it is a document that was split.
pub const MANIFEST: &str = "flotilla-flows.json";
/// The entries that are on no tab and in no subflow.
pub(super) const GLOBAL: &str = "global.json";
/// The order of all entries, where it does not follow from the files.
pub(super) const ORDER: &str = "order.json";
/// The folder of tabs.
pub(super) const TABS: &str = "tabs";
/// The folder of subflows.
pub(super) const SUBFLOWS: &str = "subflows";
/// The form of the files that is written.
pub(super) const FORMAT: u64 = 1;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitFile {
    /// Its path in the folder, with `/`: `flotilla-flows.json`, `global.json`, `order.json`, `tabs/NAME.ID.json`,
    /// `subflows/NAME.ID.json`.
    pub path: String,
    /// Its content: JSON, a field a line, with a line end at its end.
    pub text: String,
}

/// The content of [`MANIFEST`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u64,
    /// Ids of the tabs in the editor's order.
    pub(super) tabs: Vec<String>,
    /// Ids of the subflows.
    #[serde(default)]
    pub(super) subflows: Vec<String>,
}

/// `FOLDER/NAME.ID.json`, with what file systems and shells take everywhere.
pub(super) fn path(folder: &str, label: &str, id: &str) -> String {
    let mut name = String::new();
    for c in label.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
        if name.len() == 40 {
            break;
        }
    }
    let name = Some(name.trim_end_matches('-')).filter(|name| !name.is_empty());
    format!("{folder}/{}.{}.json", name.unwrap_or("_"), safe(id))
}

/// An id as part of a file name: what else than letters, digits, `.`, `-` and `_` is in it becomes `~` and its code.
fn safe(id: &str) -> String {
    let part = |c: char| {
        let plain = c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if plain { c.to_string() } else { format!("~{:x}~", u32::from(c)) }
    };
    id.chars().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_readable_and_safe() {
        assert_eq!(path(TABS, "Hall 3: Pressen/Öfen", "a1f.2"), "tabs/hall-3-pressen-fen.a1f.2.json");
        assert_eq!(path(TABS, "../..", "../x"), "tabs/_...~2f~x.json");
        assert_eq!(path(SUBFLOWS, "", "s1"), "subflows/_.s1.json");
    }
}
