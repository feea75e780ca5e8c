//! What `flotilla up` prints, once: what runs where, what the review found, what to try next.

use std::net::SocketAddr;
use std::path::Path;

use flotilla_flows::{Document, Severity, review};

use super::hints::{hints, publisher};

/// What runs where.
pub struct Running<'a> {
    /// The flow document's file.
    pub flows: &'a Path,
    /// The group's name.
    pub group: &'a str,
    /// The revision that the group runs.
    pub revision: &'a str,
    /// How the replicas are: `3 ready, 3 not connected to mqtt://...`.
    pub state: String,
    /// The embedded broker.
    pub mqtt: Option<SocketAddr>,
    /// Flow traffic: scheme and address.
    pub http: String,
    /// `httpNodeRoot`: what the paths of HTTP nodes begin with.
    pub root: String,
    /// The admin API: scheme and address.
    pub admin: String,
    /// The store: its file, or where it is.
    pub store: String,
}

/// Findings shown at most; `flotilla review` shows all.
const SHOWN: usize = 12;

/// The text.
pub fn banner(running: &Running<'_>, document: &Document) -> String {
    let mut text = format!(
        "\nFlotilla runs {} as group \"{}\", revision {}\n\n  {:<10}{} (child processes, started again when they die)\n",
        running.flows.display(),
        running.group,
        running.revision,
        "replicas",
        running.state,
    );
    let broker = running.mqtt.map_or("not started (--no-broker)".to_owned(), |address| format!("mqtt://{address}"));
    for (name, what) in [
        ("broker", broker),
        ("flow HTTP", format!("{}{}", running.http, running.root)),
        ("admin API", format!("{}/readyz, /metrics, and /api/v1 with its token", running.admin)),
        ("store", running.store.clone()),
    ] {
        text += &format!("  {name:<10}{what}\n");
    }
    let findings = review(document);
    let serious: Vec<_> = findings.iter().filter(|finding| finding.severity != Severity::Info).collect();
    if findings.is_empty() {
        text += "\nReview: nothing in this flow behaves differently at several replicas.\n";
    } else {
        let nodes: std::collections::HashSet<_> = findings.iter().map(|finding| &finding.node).collect();
        let (count, verb) = (nodes.len(), if nodes.len() == 1 { "behaves" } else { "behave" });
        text += &format!("\nReview: {count} of the flow's nodes {verb} differently at several replicas\n");
        for finding in findings.iter().take(SHOWN) {
            let name = if finding.name.is_empty() { &finding.node } else { &finding.name };
            text += &format!("  {:<8}{} \"{}\": {}\n", finding.severity.to_string(), finding.kind, name, finding.what);
        }
        let more = findings.len().saturating_sub(SHOWN);
        let rest = if more > 0 { format!("{more} more, and ") } else { String::new() };
        let worth = if serious.is_empty() { "what to do" } else { "what to do about them" };
        text += &format!("  ({rest}{worth}: flotilla review {})\n", running.flows.display());
    }
    let http = format!("{}{}", running.http, running.root);
    let lines = hints(document, &publisher(), running.mqtt, &http, &running.admin);
    if !lines.is_empty() {
        text += "\nTry\n";
        for line in lines {
            text += &format!("  {line}\n");
        }
    }
    text += "\nCtrl-C drains and stops; a second one stops at once.\n\n";
    text
}
