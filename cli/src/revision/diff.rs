//! `flotilla revision diff`: by tab and node.

use flotilla_api::revision::RevisionContent;
use flotilla_flows::diff;
use serde_json::json;

use crate::client;
use crate::review::print;

/// Prints what differs.
pub(super) fn show(old: &RevisionContent, new: &RevisionContent, as_json: bool) -> anyhow::Result<()> {
    let changes = diff(&old.flows, &new.flows);
    let others: Vec<&str> = [
        ("env", old.env != new.env),
        ("settings", old.settings != new.settings),
        ("has_credentials", old.has_credentials != new.has_credentials),
    ]
    .into_iter()
    .filter_map(|(part, differs)| differs.then_some(part))
    .collect();
    if as_json {
        client::json(&json!({"nodes": serde_json::to_value(&changes)?, "also": others}));
        return Ok(());
    }
    let mut text = String::new();
    let mut tab = None;
    for change in &changes {
        if tab != Some(&change.tab) {
            tab = Some(&change.tab);
            let title = if change.tab.is_empty() { "tabs and config nodes" } else { &change.tab };
            text += &format!("{title}\n");
        }
        let fields = if change.fields.is_empty() { String::new() } else { format!(": {}", change.fields.join(", ")) };
        text += &format!("  {:<8}{} \"{}\" ({}){fields}\n", change.kind, change.node_type, change.name, change.id);
    }
    for part in others {
        text += &format!("{part} differs\n");
    }
    if text.is_empty() {
        text = "no difference\n".to_owned();
    }
    print(&text);
    Ok(())
}
