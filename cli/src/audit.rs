//! `flotilla audit`: who changed what, when and why.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use crate::client::{self, GroupArgs};

/// What `flotilla audit` takes.
#[derive(Args, Debug)]
pub struct AuditArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// Only the last so many
    #[arg(long, value_name = "N")]
    last: Option<usize>,
}

/// Prints the audit log, oldest first.
pub async fn run(args: AuditArgs) -> anyhow::Result<ExitCode> {
    let mut log = args.group.client().get(&args.group.path("audit")).await?;
    if let (Some(last), Some(entries)) = (args.last, log.as_array_mut()) {
        entries.drain(..entries.len().saturating_sub(last));
    }
    if args.group.admin.json {
        client::json(&log);
        return Ok(ExitCode::SUCCESS);
    }
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let rows = log.as_array().into_iter().flatten().map(|entry| {
        [
            client::time(&entry["time_ms"]),
            text(entry, "actor"),
            text(entry, "action"),
            text(entry, "replica"),
            text(entry, "revision"),
            text(entry, "why"),
        ]
    });
    client::table(["TIME (UTC)", "ACTOR", "WHAT", "REPLICA", "REVISION", "WHY"], rows);
    Ok(ExitCode::SUCCESS)
}
