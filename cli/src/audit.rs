//! `flotilla audit`: who changed what, when and why.

use std::process::ExitCode;

use clap::Args;

use crate::client::{self, GroupArgs};

/// What `flotilla audit` takes.
#[derive(Args, Debug)]
pub struct AuditArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// Only the last so many
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// What concerns no group: users, roles, tokens, logins
    #[arg(long)]
    system: bool,
}

/// Prints the audit log, oldest first.
pub async fn run(args: AuditArgs) -> anyhow::Result<ExitCode> {
    let client = args.group.client();
    let mut log = match args.system {
        true => client.system_audit().await?,
        false => client.audit(&args.group.group).await?,
    };
    if let Some(last) = args.last {
        log.drain(..log.len().saturating_sub(last));
    }
    if args.group.admin.json {
        client::json(&log);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = log.into_iter().map(|entry| {
        [client::time(entry.time_ms), entry.actor, entry.action, entry.replica, entry.revision, entry.why]
    });
    client::table(["TIME (UTC)", "ACTOR", "WHAT", "REPLICA", "REVISION", "WHY"], rows);
    Ok(ExitCode::SUCCESS)
}
