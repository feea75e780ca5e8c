//! The parts of the page.

use std::fmt::Write;

use super::axis::Unit;
use super::bars::distribution;
use super::chart::{Line, Marker, chart};
use super::escape::escaped;
use crate::measure::{Point, group_digits, show_ms};
use crate::report::results::Results;
use crate::tracker::Finding;

/// Findings of each kind on the page.
const SHOWN: usize = 50;
/// Events that are drawn; the list has all.
const MARKED: usize = 60;

/// The large numbers at the top.
pub fn cards(results: &Results) -> String {
    let totals = &results.totals;
    let mut out = String::from("<div class=\"cards\">");
    let mut card = |name: &str, value: String, note: String, bad: bool| {
        let class = if bad { "card bad" } else { "card" };
        let _ = write!(out, "<div class=\"{class}\"><b>{value}</b><span>{name}</span><small>{note}</small></div>");
    };
    let n = group_digits;
    card("lost", n(totals.lost), format!("of {} confirmed", n(totals.confirmed)), totals.lost > 0);
    card(
        "repeated",
        n(totals.repeated),
        format!("{} sent again by the generator", n(totals.repeated_after_resend)),
        false,
    );
    card("out of order", n(totals.out_of_order), "per key".to_owned(), totals.out_of_order > 0);
    card("errors", n(totals.errors), format!("{} reconnects", n(totals.reconnects)), totals.errors > 0);
    let (what, count) = results.counted();
    card(what, format!("{}/s", n(results.rate.round() as u64)), format!("{} messages", n(count)), false);
    card("p50", show_ms(results.latency.p50), "half are at most this".to_owned(), false);
    card("p99", show_ms(results.latency.p99), format!("p99.9 {}", show_ms(results.latency.p999)), false);
    card("max", show_ms(results.latency.max), format!("p99.99 {}", show_ms(results.latency.p9999)), false);
    out.push_str("</div>\n");
    out
}

/// What is to be marked on the time axis.
fn markers(results: &Results) -> Vec<Marker> {
    let events = results.events.iter().enumerate();
    let drawn = events.filter(|(_, event)| event.kind != "connection").take(MARKED);
    drawn
        .map(|(number, event)| Marker {
            at: event.at_s,
            number: number + 1,
            title: format!("{:.1} s: {}", event.at_s, event.what),
            kind: event.kind.clone(),
        })
        .collect()
}

/// The charts.
pub fn charts(results: &Results) -> String {
    let markers = markers(results);
    let end = results.seconds;
    let line = |name, class, value: fn(&Point) -> f64| Line {
        name,
        class,
        points: results.timeline.iter().map(|point| (point.at_s + results.point_s / 2.0, value(point))).collect(),
        stairs: false,
    };
    let mut rates = Vec::new();
    if results.timeline.iter().any(|point| point.wanted > 0.0) {
        rates.push(line("wanted", "want", |point| point.wanted));
    }
    rates.push(line("sent", "c1", |point| point.sent));
    let out = results.totals.received > 0;
    rates.push(if out {
        line("came out", "c2", |point| point.received)
    } else {
        line("confirmed", "c2", |point| point.confirmed)
    });
    for (name, class, value) in
        [("repeated", "c3", (|point| point.repeated) as fn(&Point) -> f64), ("errors", "c4", |point| point.errors)]
    {
        if results.timeline.iter().any(|point| value(point) > 0.0) {
            rates.push(line(name, class, value));
        }
    }
    let mut page = chart("Messages a second", Unit::Rate, &rates, &markers, end);
    if out {
        let latencies = [
            line("max", "c4", |point| point.max),
            line("p99", "c3", |point| point.p99),
            line("p50", "c2", |point| point.p50),
        ];
        page.push_str(&chart(
            "Latency, from when a message was due to its output",
            Unit::Latency,
            &latencies,
            &markers,
            end,
        ));
    }
    if results.timeline.iter().any(|point| point.replicas.is_some()) {
        let replicas = Line {
            name: "fewest in a point",
            class: "c1",
            points: results
                .timeline
                .iter()
                .filter_map(|point| Some((point.at_s, f64::from(point.replicas?))))
                .collect(),
            stairs: true,
        };
        page.push_str(&chart("Running replicas", Unit::Count, &[replicas], &markers, end));
    }
    page.push_str(&distribution("Distribution of latencies", &results.bars, &results.latency));
    page
}

/// Thresholds.
pub fn thresholds(results: &Results) -> String {
    if results.thresholds.is_empty() {
        return String::new();
    }
    let row = |checked: &crate::report::Checked| {
        let verdict = if checked.passed { "<td class=\"ok\">holds" } else { "<td class=\"no\">does not hold" };
        format!(
            "<tr>{verdict}</td><td><code>{}</code></td><td class=\"n\">{}</td></tr>",
            escaped(&checked.threshold),
            escaped(&checked.shown)
        )
    };
    let rows: String = results.thresholds.iter().map(row).collect();
    format!("<h2>Thresholds</h2><table><tr><th></th><th>condition</th><th>measured</th></tr>{rows}</table>\n")
}

/// Steps.
pub fn steps(results: &Results) -> String {
    if results.steps.is_empty() {
        return String::new();
    }
    let n = |value: f64| group_digits(value.round() as u64);
    let row = |step: &crate::report::StepResult| {
        let verdict = if step.held {
            "<td class=\"ok\">held</td>".to_owned()
        } else {
            format!("<td class=\"no\">{}</td>", escaped(&step.why))
        };
        format!(
            "<tr><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>{verdict}</tr>",
            n(step.wanted),
            n(step.sent),
            n(step.received),
            show_ms(step.p99),
            group_digits(step.errors)
        )
    };
    let rows: String = results.steps.iter().map(row).collect();
    format!(
        "<h2>Steps</h2><table><tr><th>wanted/s</th><th>sent/s</th><th>out/s</th><th>p99</th><th>errors</th><th></th></tr>{rows}</table>\n"
    )
}

/// Events, errors, findings.
pub fn details(results: &Results) -> String {
    let mut out = String::new();
    if !results.events.is_empty() {
        let rows: String = results
            .events
            .iter()
            .enumerate()
            .map(|(number, event)| {
                format!(
                    "<tr><td class=\"n\">{}</td><td class=\"n\">{:.1} s</td><td><span class=\"kind {}\">{}</span></td><td>{}</td></tr>",
                    number + 1, event.at_s, escaped(&event.kind), escaped(&event.kind), escaped(&event.what)
                )
            })
            .collect();
        let _ =
            writeln!(out, "<h2>Events</h2><table><tr><th>#</th><th>at</th><th></th><th>what</th></tr>{rows}</table>");
    }
    if !results.errors.is_empty() {
        let rows: String = results
            .errors
            .iter()
            .map(|(what, count)| {
                format!("<tr><td class=\"n\">{}</td><td>{}</td></tr>", group_digits(*count), escaped(what))
            })
            .collect();
        let _ = writeln!(out, "<h2>Errors</h2><table>{rows}</table>");
    }
    for (name, list) in [
        ("Lost: acknowledged, and never came out", &results.findings.lost),
        ("Repeated", &results.findings.repeated),
        ("Out of order", &results.findings.out_of_order),
        ("Left an old value behind", &results.findings.stale),
        ("Unconfirmed: neither acknowledged nor out", &results.findings.unconfirmed),
    ] {
        out.push_str(&findings(name, list));
    }
    out
}

fn findings(name: &str, list: &[Finding]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let row = |finding: &Finding| {
        let at = finding.at_ms.map(|ms| format!("{:.3} s", ms as f64 / 1000.0)).unwrap_or_default();
        format!(
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{at}</td></tr>",
            escaped(&finding.key),
            finding.seq
        )
    };
    let rows: String = list.iter().take(SHOWN).map(row).collect();
    let more = if list.len() > SHOWN {
        format!("<p>The first {SHOWN} of {} that the results have.</p>", list.len())
    } else {
        String::new()
    };
    format!(
        "<details><summary>{name}</summary><table><tr><th>key</th><th>number</th><th>at</th></tr>{rows}</table>{more}</details>\n"
    )
}

/// Streams, machine, versions, scenario.
pub fn about(results: &Results) -> String {
    let n = group_digits;
    let rows: String = results
        .streams
        .iter()
        .map(|stream| {
            format!(
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                escaped(&stream.name), stream.kind, stream.clients, n(stream.sent), n(stream.confirmed), n(stream.errors)
            )
        })
        .collect();
    let machine = &results.machine;
    format!(
        "<h2>Streams</h2><table><tr><th>stream</th><th></th><th>clients</th><th>sent</th><th>confirmed</th><th>errors</th></tr>{rows}</table>\n\
         <h2>Scenario</h2><pre>{}</pre>\n\
         <p class=\"about\">Generator: {} {}, seed {}, {:.0} % of one core on average and {:.0} % at most, {} late at the 99th percentile, {} MiB. \
         Machine: {} cores, {}, {} GiB, Linux {}, load average {} before the run.</p>\n",
        escaped(results.scenario.trim()),
        escaped(&results.client),
        escaped(&results.version),
        results.seed,
        results.generator.busy_mean * 100.0,
        results.generator.busy_max * 100.0,
        show_ms(results.generator.late_p99_ms),
        results.generator.memory_mib,
        machine.cores,
        escaped(&machine.processor),
        machine.memory_gib,
        escaped(&machine.kernel),
        machine.load_before,
    )
}
