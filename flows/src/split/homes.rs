//! In which file an entry is.

use std::collections::HashMap;

use crate::document::NodeConfig;

/// A tab, a subflow, or everything that is on none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// On no tab and in no subflow.
    Global,
    /// The tab in this place.
    Tab(usize),
    /// The subflow in this place.
    Subflow(usize),
}

/// The tabs and subflows of a document by their ids.
pub(super) struct Homes(HashMap<String, Home>);

impl Homes {
    /// Of a document's entries.
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a NodeConfig>) -> Homes {
        let (mut tabs, mut subflows) = (0, 0);
        let mut homes = HashMap::new();
        for entry in entries {
            let home = match &*entry.kind {
                "tab" => {
                    tabs += 1;
                    Home::Tab(tabs - 1)
                }
                "subflow" => {
                    subflows += 1;
                    Home::Subflow(subflows - 1)
                }
                _ => continue,
            };
            homes.insert(entry.id.clone(), home);
        }
        Homes(homes)
    }

    /// Where an entry is: a tab and a subflow are in their own file.
    pub(super) fn home(&self, entry: &NodeConfig) -> Home {
        let id = if is_container(entry) { &entry.id } else { &entry.z };
        self.0.get(id).copied().unwrap_or(Home::Global)
    }
}

/// True for tabs and subflows.
pub(super) fn is_container(entry: &NodeConfig) -> bool {
    matches!(&*entry.kind, "tab" | "subflow")
}
