//! `flotilla revision diff`: flows by tab and node with the changed lines of functions, and the names of other keys.

use std::collections::BTreeMap;

use flotilla_api::revision::{KeyChange, RevisionContent, RevisionDiff};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// Fields that are text of several lines.
const TEXTS: &[&str] = &["func", "initialize", "finalize", "template", "info"];

/// What differs, for people.
pub(super) fn text(diff: &RevisionDiff, old: &RevisionContent, new: &RevisionContent) -> String {
    let mut text = String::new();
    let mut tab = None;
    for change in &diff.nodes {
        if tab != Some(&change.tab) {
            tab = Some(&change.tab);
            let title = if change.tab.is_empty() { "tabs and config nodes" } else { &change.tab };
            text += &format!("{title}\n");
        }
        let fields = if change.fields.is_empty() { String::new() } else { format!(": {}", change.fields.join(", ")) };
        text += &format!("  {:<8}{} \"{}\" ({}){fields}\n", change.kind, change.node_type, change.name, change.id);
        for field in change.fields.iter().filter(|field| TEXTS.contains(&field.as_str())) {
            text += &lines(&field_of(&old.flows, &change.id, field), &field_of(&new.flows, &change.id, field));
        }
    }
    let parts = [
        ("env", &diff.env),
        ("settings", &diff.settings),
        ("credentials", &diff.credentials),
        ("settings of nodes", &diff.node_settings),
    ];
    for (title, changes) in parts {
        text += &keys(title, changes);
    }
    if text.is_empty() { "no difference\n".to_owned() } else { text }
}

fn keys(title: &str, changes: &BTreeMap<String, KeyChange>) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let word = |change: &KeyChange| match change {
        KeyChange::Added => "added",
        KeyChange::Removed => "removed",
        KeyChange::Changed => "changed",
    };
    let lines: String = changes.iter().map(|(name, change)| format!("  {:<8}{name}\n", word(change))).collect();
    format!("{title}\n{lines}")
}

fn field_of(flows: &Value, id: &str, field: &str) -> String {
    let list = flows.as_array().or_else(|| flows.get("flows")?.as_array());
    let node = list.into_iter().flatten().find(|node| node.get("id").and_then(Value::as_str) == Some(id));
    node.and_then(|node| node.get(field)?.as_str()).unwrap_or_default().to_owned()
}

/// The lines that differ, with `-` and `+`.
fn lines(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let line = |change: similar::Change<&str>| match change.tag() {
        ChangeTag::Equal => None,
        ChangeTag::Delete => Some(format!("          - {}\n", change.value().trim_end())),
        ChangeTag::Insert => Some(format!("          + {}\n", change.value().trim_end())),
    };
    diff.iter_all_changes().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nodes_lines_and_names_of_keys_are_shown() {
        let content = |func: &str| RevisionContent {
            id: String::new(),
            flows: json!([{"id": "t", "type": "tab", "label": "Plant"}, {"id": "f", "type": "function", "z": "t", "name": "calc", "func": func}]),
            env: BTreeMap::new(),
            settings: serde_json::Map::new(),
            message: String::new(),
            has_credentials: true,
            nodes: BTreeMap::new(),
            missing: Vec::new(),
        };
        let (old, new) = (content("let a = 1;\nreturn msg;"), content("let a = 2;\nreturn msg;"));
        let diff = RevisionDiff {
            nodes: flotilla_flows::diff(&old.flows, &new.flows),
            env: [("HOST".to_owned(), KeyChange::Changed)].into(),
            credentials: [("b1.password".to_owned(), KeyChange::Added)].into(),
            ..RevisionDiff::default()
        };
        insta::assert_snapshot!(text(&diff, &old, &new), @r#"
        Plant
          changed function "calc" (f): func
                  - let a = 1;
                  + let a = 2;
        env
          changed HOST
        credentials
          added   b1.password
        "#);
    }
}
