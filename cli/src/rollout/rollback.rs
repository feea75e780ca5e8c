//! `flotilla rollback`: back to an earlier revision.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::progress::watch;
use super::rules::RulesArgs;
use crate::client::{self, GroupArgs};
use crate::review::print;

/// What `flotilla rollback` takes.
#[derive(Args, Debug)]
pub struct RollbackArgs {
    /// The revision, or its first digits [default: the good one before this one]
    revision: Option<String>,
    #[command(flatten)]
    group: GroupArgs,
    #[command(flatten)]
    rules: RulesArgs,
    /// Show the rollout until it ends; the exit code says how
    #[arg(long)]
    wait: bool,
}

/// Begins the rollout back.
pub async fn rollback(args: RollbackArgs) -> anyhow::Result<ExitCode> {
    let group = &args.group;
    let spec = group.client().get(group.path("").trim_end_matches('/')).await.unwrap_or_default();
    let body = json!({"revision": args.revision, "actor": client::actor(), "rules": args.rules.to_json(&spec)});
    let begun = group.client().post(&group.path("rollback"), &body).await?;
    match begun["rollout"]["number"].as_u64() {
        Some(number) if args.wait => watch(group, number).await,
        _ => {
            if group.admin.json {
                client::json(&begun);
            } else {
                print(&format!("goes back to revision {}\n", begun["revision"].as_str().unwrap_or_default()));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
