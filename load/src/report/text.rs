//! Results as text at a terminal.

use std::fmt::Write;

use super::results::Results;
use crate::measure::{Percentiles, group_digits, show_ms};
use crate::tracker::Finding;

/// Findings shown of each kind.
const SHOWN: usize = 10;

/// A page of text: what was sent, what came out, latencies, what was wrong, whether it passed.
pub fn text(results: &Results) -> String {
    let mut out = String::new();
    let totals = &results.totals;
    let n = group_digits;
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}: {:.1} s", results.name, results.seconds);
    let _ = writeln!(
        out,
        "  sent         {:>12}   confirmed {}, failed {}, sent again {}",
        n(totals.sent),
        n(totals.confirmed),
        n(totals.errors),
        n(totals.resent)
    );
    let (what, count) = results.counted();
    let _ = writeln!(out, "  {what:<12} {:>12}   {}/s", n(count), n(results.rate.round() as u64));
    let _ = writeln!(
        out,
        "  lost         {:>12}   repeated {} ({} of them sent again by this generator), out of order {}, stale {}, unconfirmed {}",
        n(totals.lost),
        n(totals.repeated),
        n(totals.repeated_after_resend),
        n(totals.out_of_order),
        n(totals.stale),
        n(totals.unconfirmed)
    );
    latency(&mut out, "latency", &results.latency);
    if results.latency != results.confirm && results.has_confirmations() {
        latency(&mut out, results.confirm_name(), &results.confirm);
    }
    for (what, list) in [
        ("lost", &results.findings.lost),
        ("repeated", &results.findings.repeated),
        ("out of order", &results.findings.out_of_order),
        ("stale", &results.findings.stale),
        ("unconfirmed", &results.findings.unconfirmed),
    ] {
        findings(&mut out, what, list);
    }
    if totals.unmarked + totals.never_sent > 0 {
        let _ = writeln!(
            out,
            "  not ours     {:>12}   outputs without a number of this run, {} with one that was never sent",
            n(totals.unmarked),
            n(totals.never_sent)
        );
    }
    for (what, count) in &results.errors {
        let _ = writeln!(out, "  error        {:>12}   {what}", n(*count));
    }
    for step in &results.steps {
        let _ = writeln!(
            out,
            "  step         {:>10}/s   {} out, p99 {}{}",
            n(step.wanted.round() as u64),
            n(step.received.round() as u64),
            show_ms(step.p99),
            if step.held { String::new() } else { format!(": broke, {}", step.why) }
        );
    }
    for note in &results.notes {
        let _ = writeln!(out, "  NOTE         {note}");
    }
    if results.generator.limit {
        let _ = writeln!(out, "  NOTE         the generator itself was the limit: {}", results.generator.why);
    }
    for checked in &results.thresholds {
        let verdict = if checked.passed { "ok" } else { "FAILED" };
        let _ = writeln!(out, "  {verdict:<12} {}   ({})", checked.threshold, checked.shown);
    }
    out
}

fn latency(out: &mut String, name: &str, latency: &Percentiles) {
    if latency.count == 0 {
        return;
    }
    let _ = writeln!(
        out,
        "  {name:<12} p50 {}, p90 {}, p99 {}, p99.9 {}, p99.99 {}, max {}",
        show_ms(latency.p50),
        show_ms(latency.p90),
        show_ms(latency.p99),
        show_ms(latency.p999),
        show_ms(latency.p9999),
        show_ms(latency.max)
    );
}

fn findings(out: &mut String, what: &str, list: &[Finding]) {
    for finding in list.iter().take(SHOWN) {
        let at = finding.at_ms.map(|ms| format!(" at {:.3} s", ms as f64 / 1000.0)).unwrap_or_default();
        let _ = writeln!(out, "    {what}: {} number {}{at}", finding.key, finding.seq);
    }
    if list.len() > SHOWN {
        let _ = writeln!(out, "    {what}: and more; --json lists the first {}", list.len());
    }
}
