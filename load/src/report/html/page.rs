//! The whole page.

use super::escape::escaped;
use super::sections;
use crate::report::compare::rows;
use crate::report::results::Results;

/// The style sheet.
const STYLE: &str = include_str!("page.css");

fn shell(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>\n{body}</main></body></html>\n",
        escaped(title)
    )
}

fn verdict(results: &Results) -> &'static str {
    match (results.thresholds.is_empty(), results.passed()) {
        (true, _) => "",
        (false, true) => "<span class=\"verdict pass\">passed</span>",
        (false, false) => "<span class=\"verdict fail\">failed</span>",
    }
}

/// One run.
pub fn page(results: &Results) -> String {
    let limit = if results.generator.limit {
        format!("<p class=\"warn\">The generator itself was the limit: {}</p>\n", escaped(&results.generator.why))
    } else {
        String::new()
    };
    let notes: String = results.notes.iter().map(|note| format!("<p class=\"warn\">{}</p>\n", escaped(note))).collect();
    let body = format!(
        "<header><h1>{} {}</h1><p>{} · {:.1} s · Flotilla {}</p></header>\n{limit}{notes}{}{}{}{}{}{}",
        escaped(&results.name),
        verdict(results),
        escaped(&results.started),
        results.seconds,
        escaped(&results.version),
        sections::cards(results),
        sections::thresholds(results),
        sections::charts(results),
        sections::steps(results),
        sections::details(results),
        sections::about(results),
    );
    shell(&results.name, &body)
}

/// Two runs: the numbers side by side, then each run's charts.
pub fn comparison_page(before: &Results, after: &Results) -> String {
    let row = |row: &crate::report::Row| {
        let show = |value| escaped(&row.metric.show(value));
        let class = if row.worse_by(5.0) {
            "no"
        } else if row.change().is_some_and(|change| change.abs() > 5.0) {
            "ok"
        } else {
            ""
        };
        format!(
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n {class}\">{}</td></tr>",
            row.metric,
            show(row.before),
            show(row.after),
            row.shown_change()
        )
    };
    let table: String = rows(before, after).iter().map(row).collect();
    let run = |title: &str, results: &Results| {
        format!(
            "<h2>{title}: {} {}</h2><p>{} · {:.1} s · Flotilla {}</p>{}{}",
            escaped(&results.name),
            verdict(results),
            escaped(&results.started),
            results.seconds,
            escaped(&results.version),
            sections::charts(results),
            sections::about(results)
        )
    };
    let body = format!(
        "<header><h1>Before and after</h1><p>{} · {}</p></header>\n<table><tr><th></th><th>before</th><th>now</th><th>change</th></tr>{table}</table>\n{}{}",
        escaped(&before.started),
        escaped(&after.started),
        run("Before", before),
        run("Now", after)
    );
    shell("Before and after", &body)
}
