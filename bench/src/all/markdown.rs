//! `RESULTS.md`.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;

use super::chart::chart;
use super::table::{Case, OLD, Section, Sides};

/// Differences below this are noise on a machine that does other things as well.
const EVEN: f64 = 1.05;

/// Three digits that count.
pub fn shown(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        0.0 => 0,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), String::new()), |(a, b)| (a, format!(".{b}")));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &rest
}

/// How Flotilla, the first side, stands to a value of another; among variants, and beside an older build, how many times the
/// first's it is.
fn verdict(case: &Case, name: &str, ours: f64, theirs: f64) -> String {
    if ours <= 0.0 || theirs <= 0.0 || case.who == Sides::Differences {
        return String::new();
    }
    if case.who == Sides::Variants || name.starts_with(OLD) {
        return format!("{:.2} x", theirs / ours);
    }
    let ahead = if case.metric.more { ours / theirs } else { theirs / ours };
    if ahead >= EVEN {
        format!("Flotilla is {ahead:.2} x better")
    } else if ahead > 1.0 / EVEN {
        "even".to_owned()
    } else {
        format!("**Flotilla is behind: {:.2} x worse**", 1.0 / ahead)
    }
}

fn table(out: &mut String, case: &Case) {
    let better = if case.metric.more { "more" } else { "less" };
    let _ = writeln!(out, "### {}\n\nIn {}; {better} is better.\n", case.name, case.metric.unit);
    let beside = match case.who {
        Sides::Rivals => "beside Flotilla",
        Sides::Variants => "beside the first",
        Sides::Differences => "",
    };
    let _ = writeln!(out, "| side | median | least to most | rounds | {beside} |\n| --- | ---: | ---: | ---: | --- |");
    let own = case.sides.first().and_then(super::table::Side::median);
    for (at, side) in case.sides.iter().enumerate() {
        let (median, spread) = match (side.median(), side.spread()) {
            (Some(median), Some((least, most))) => (shown(median), format!("{} to {}", shown(least), shown(most))),
            _ => ("-".to_owned(), "-".to_owned()),
        };
        let beside = match (&side.failed, own, side.median()) {
            (Some(why), ..) => format!("did not get through: {}", why.lines().next().unwrap_or_default()),
            (None, Some(own), Some(theirs)) if at > 0 => verdict(case, &side.name, own, theirs),
            _ => String::new(),
        };
        let _ = writeln!(out, "| {} | {median} | {spread} | {} | {beside} |", side.name, side.values.len());
    }
    out.push('\n');
}

/// Writes the page and its charts.
pub fn write(path: &Path, machine: &str, rounds: u16, sections: &[Section]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("")).join("charts");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut out = String::from("# Results\n\n");
    let _ = writeln!(
        out,
        "Written by `flotilla-bench all` on {}: {machine}. The sides alternate, with {rounds} rounds unless a table shows another number; \
         the numbers are medians with the least and the most. Other load on the machine affects all sides alike: trust the \
         ratios more than the numbers.\n",
        jiff::Zoned::now().strftime("%Y-%m-%d")
    );
    for section in sections {
        let _ = writeln!(out, "## {}\n\n{}\n", section.title, section.about);
        if section.cases.iter().any(|case| case.sides.iter().any(|side| !side.values.is_empty())) {
            let file = format!("{}.svg", section.name);
            std::fs::write(folder.join(&file), chart(section)).with_context(|| file.clone())?;
            let _ = writeln!(out, "![{}](charts/{file})\n", section.title);
        }
        section.cases.iter().for_each(|case| table(&mut out, case));
        for (what, why) in &section.skipped {
            let _ = writeln!(out, "- Not measured: {what}, because {}", why.lines().next().unwrap_or_default());
        }
        if !section.skipped.is_empty() {
            out.push('\n');
        }
    }
    std::fs::write(path, out.trim_end().to_owned() + "\n").with_context(|| format!("cannot write {}", path.display()))
}
