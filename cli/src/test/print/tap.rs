//! The Test Anything Protocol, version 14.

use serde_json::Value;

use super::report::{Report, line};

/// A plan, a line a test, and a YAML block with the reasons below those that failed.
pub fn tap(report: &Report<'_>) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", report.outcomes.len());
    for (at, outcome) in report.outcomes.iter().enumerate() {
        let result = if outcome.passed() { "ok" } else { "not ok" };
        text.push_str(&format!("{result} {} - {}\n", at + 1, description(&outcome.name)));
        text.push_str(&format!("  ---\n  duration_ms: {}\n", outcome.took.as_millis()));
        if !outcome.passed() {
            text.push_str("  failures:\n");
        }
        for failure in &outcome.failures {
            text.push_str(&format!("    - message: {}\n", quoted(&line(failure))));
            if !failure.found.is_empty() {
                text.push_str("      found:\n");
            }
            for found in &failure.found {
                text.push_str(&format!("        - {}\n", quoted(found)));
            }
        }
        if !outcome.passed() && !outcome.log.is_empty() {
            text.push_str("  log:\n");
            outcome.log.iter().for_each(|logged| text.push_str(&format!("    - {}\n", quoted(logged))));
        }
        text.push_str("  ...\n");
    }
    text
}

/// `#` begins a directive and `\` escapes: both are escaped. A description is one line.
fn description(name: &str) -> String {
    name.replace('\\', "\\\\").replace('#', "\\#").replace(['\n', '\r'], " ")
}

/// JSON's texts are YAML's.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
