//! The audit log, and its check.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::audit::{AuditEntry, AuditFilter};
use jiff::{SignedDuration, Timestamp};

use super::verify::{self, VerifyArgs};
use crate::client::{self, GroupArgs};
use crate::plain::print;
use crate::token::seconds;

/// What `flotilla audit` takes.
#[derive(Args, Debug)]
pub struct AuditArgs {
    #[command(flatten)]
    group: GroupArgs,
    #[command(subcommand)]
    command: Option<Command>,
    /// Only this many of the newest
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// Only what this user or process did
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only this event: deploy, refused, user-add
    #[arg(long, value_name = "WHAT")]
    event: Option<String>,
    /// Only what happened since: 2h ago, or 2027-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only what happened before: 1d ago, or 2027-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Entries outside groups: users, roles, tokens, logins
    #[arg(long, global = true)]
    system: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Find entries that were changed, removed, inserted or cut off
    Verify(VerifyArgs),
}

/// Prints the audit log, oldest first; with `--json` an entry a line.
pub async fn run(args: AuditArgs) -> anyhow::Result<ExitCode> {
    let group = if args.system { None } else { Some(args.group.group.as_str()) };
    if let Some(Command::Verify(verify)) = &args.command {
        return verify::run(&args.group.admin, group, verify).await;
    }
    let ms = |time: Timestamp| time.as_millisecond().max(0) as u64;
    let filter = AuditFilter {
        user: args.user,
        event: args.event,
        since_ms: args.since.map(ms),
        until_ms: args.until.map(ms),
        ..AuditFilter::default()
    };
    let mut log = args.group.client().audit_log(group, &filter).await?;
    if let Some(last) = args.last {
        log.drain(..log.len().saturating_sub(last));
    }
    if args.group.admin.json {
        for entry in &log {
            print(&format!("{}\n", serde_json::to_string(entry)?));
        }
        return Ok(ExitCode::SUCCESS);
    }
    client::table(["TIME (UTC)", "WHO", "VIA", "WHAT", "REPLICA", "REVISION", "WHY"], log.into_iter().map(row));
    Ok(ExitCode::SUCCESS)
}

fn row(entry: AuditEntry) -> [String; 7] {
    let via = match (entry.source.is_empty(), entry.address.is_empty()) {
        (true, _) => String::new(),
        (false, true) => entry.source,
        (false, false) => format!("{} {}", entry.source, entry.address),
    };
    [client::time(entry.time_ms), entry.actor, via, entry.action, entry.replica, entry.revision, entry.why]
}

/// A moment: a time, or how long ago.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago = seconds(text.strip_suffix("ago").unwrap_or(text).trim());
    let ago = ago.map_err(|_| format!("\"{text}\" is not a time: write for example 2h, or 2027-01-31T12:00:00Z"))?;
    Timestamp::now().checked_sub(SignedDuration::from_secs(ago as i64)).map_err(|error| error.to_string())
}
