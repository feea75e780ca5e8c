//! Two results side by side.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use flotilla_load::measure::Threshold;
use flotilla_load::report::{Results, comparison_page, failed, rows};

use super::args::CompareArgs;
use crate::client::table;

fn read(path: &Path) -> anyhow::Result<Results> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Results::parse(&text).with_context(|| format!("{} is not what flotilla load --json writes", path.display()))
}

/// Prints the table; 1 when a condition does not hold.
pub fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let thresholds = args.require.iter().map(|text| text.parse()).collect::<Result<Vec<Threshold>, _>>()?;
    table(
        ["", "before", "now", "change"],
        rows(&before, &after).iter().map(|row| {
            let show = |value| row.metric.show(value);
            [row.metric.to_string(), show(row.before), show(row.after), row.shown_change()]
        }),
    );
    if let Some(path) = &args.report {
        std::fs::write(path, comparison_page(&before, &after))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let failed = failed(&before, &after, &thresholds);
    for line in &failed {
        eprintln!("FAILED  {line}");
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
