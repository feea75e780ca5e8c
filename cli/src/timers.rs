//! `flotilla timers`: when inject nodes fire.

use std::process::ExitCode;

use clap::Args;
use flotilla_api::timer::GroupTimer;

use crate::client::{self, GroupArgs};
use crate::plain;

/// What `flotilla timers` takes.
#[derive(Args, Debug)]
pub struct TimersArgs {
    #[command(flatten)]
    group: GroupArgs,
}

/// Prints the timers.
pub async fn run(args: TimersArgs) -> anyhow::Result<ExitCode> {
    let found = args.group.client().timers(&args.group.group).await?;
    if args.group.admin.json {
        client::json(&found);
        return Ok(ExitCode::SUCCESS);
    }
    let header = ["NODE", "TAB", "RULE", "FIRES", "NEXT (UTC)", "LAST", "WHERE", "RUNS", "SKIPPED", "WHY"];
    client::table(header, found.timers.iter().map(row));
    for missing in &found.unanswered {
        eprintln!("{}", plain::one_line(&format!("! {} does not answer: {}", missing.replica, missing.reason)));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(timer: &GroupTimer) -> [String; 10] {
    let time = |ms: Option<u64>| ms.map(client::time).unwrap_or_default();
    [
        timer.id.shown().to_owned(),
        timer.id.tab_label.clone(),
        timer.rule.clone(),
        if timer.each { "in each replica" } else { "once" }.to_owned(),
        time(timer.next_ms),
        time(timer.last_ms),
        timer.last_replica.clone(),
        timer.runs.values().sum::<u64>().to_string(),
        time(timer.missed_ms),
        timer.missed_why.clone(),
    ]
}
