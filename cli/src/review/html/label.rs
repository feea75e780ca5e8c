//! What stands on a node.

use flotilla_flows::{Document, NodeConfig};

/// Characters of a label at most; the whole is in its tooltip.
const MOST: usize = 60;

/// The name, else what the editor shows of the node: its topic, path or type.
pub(super) fn label(document: &Document, node: &NodeConfig) -> String {
    if !node.name.is_empty() {
        return node.name.clone();
    }
    let field = match node.kind.as_str() {
        "mqtt in" | "mqtt out" => node.str("topic"),
        "http in" => {
            let method = node.str("method").to_uppercase();
            return format!("[{}] {}", if method.is_empty() { "GET" } else { &method }, node.str("url"));
        }
        "file" | "file in" => node.str("filename"),
        "exec" => node.str("command"),
        "tcp in" | "tcp out" | "udp in" | "udp out" => {
            return format!("{} {}", node.kind, node.string_of("port")).trim_end().to_owned();
        }
        _ => "",
    };
    if !field.is_empty() {
        return field.to_owned();
    }
    match node.kind.strip_prefix("subflow:").and_then(|id| document.get(id)) {
        Some(subflow) if !subflow.name.is_empty() => subflow.name.clone(),
        _ => node.kind.clone(),
    }
}

/// A label as it fits.
pub(super) fn short(label: &str) -> String {
    let line = label.lines().next().unwrap_or_default();
    if line.chars().count() <= MOST {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(MOST - 1).collect();
    cut.push('…');
    cut
}
