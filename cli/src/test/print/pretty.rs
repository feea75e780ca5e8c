//! For people.

use super::report::{Report, line};

/// A line a test; below those that failed, why, what arrived instead, and what was logged.
pub fn pretty(report: &Report<'_>) -> String {
    let mut text = String::new();
    for outcome in report.outcomes {
        let mark = if outcome.passed() { "ok  " } else { "FAIL" };
        text.push_str(&format!("{mark}  {} ({} ms)\n", outcome.name, outcome.took.as_millis()));
        for failure in &outcome.failures {
            text.push_str(&format!("      {}\n", line(failure)));
            for found in &failure.found {
                text.push_str(&format!("        {found}\n"));
            }
        }
        if !outcome.passed() {
            for logged in &outcome.log {
                text.push_str(&format!("      log: {logged}\n"));
            }
        }
    }
    let all = report.outcomes.len();
    let passed = all - report.failed();
    text.push_str(&format!("{}: {passed} of {all} passed\n", report.suite));
    text
}
