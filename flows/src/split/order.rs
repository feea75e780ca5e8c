//! The order of entries. What the editor saves is ordered by what they are; where a document is not, the order is kept in
//! a file of its own.

use std::collections::HashMap;

use super::homes::{Home, Homes};
use crate::document::NodeConfig;

/// Puts entries, which come file by file, into the editor's order: tabs, subflows, groups, junctions, what is on no tab,
/// and then tab by tab (`createCompleteNodeSet` of Node-RED's editor).
pub(super) fn arrange(entries: &mut [NodeConfig]) {
    let homes = Homes::of(entries.iter());
    entries.sort_by_key(|entry| (class(entry), homes.home(entry)));
}

fn class(entry: &NodeConfig) -> u8 {
    match &*entry.kind {
        "tab" => 0,
        "subflow" => 1,
        "group" => 2,
        "junction" => 3,
        _ if !entry.props.contains_key("x") => 4,
        _ => 5,
    }
}

/// The entries file by file, each file's in the order of the document.
pub(super) fn by_home(entries: &[NodeConfig]) -> Vec<(Home, &NodeConfig)> {
    let homes = Homes::of(entries.iter());
    let mut sorted: Vec<_> = entries.iter().map(|entry| (homes.home(entry), entry)).collect();
    sorted.sort_by_key(|(home, _)| *home);
    sorted
}

/// Puts entries into an order that was kept. Those that it does not name stay behind what they are behind now: merges of
/// files bring such.
pub(super) fn follow(entries: Vec<NodeConfig>, order: &[String]) -> Vec<NodeConfig> {
    let places: HashMap<&str, usize> = order.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let mut last = 0;
    let mut placed: Vec<(usize, NodeConfig)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let place = places.get(entry.id.as_str()).copied().unwrap_or(last);
        last = place;
        placed.push((place, entry));
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, entry)| entry).collect()
}
