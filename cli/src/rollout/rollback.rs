//! `flotilla rollback`: back to an earlier revision.

use std::process::ExitCode;

use clap::Args;
use flotilla_api::deploy::Rollback;

use super::progress::watch;
use super::rules::RulesArgs;
use crate::client::{self, GroupArgs};
use crate::plain::print;

/// What `flotilla rollback` takes.
#[derive(Args, Debug)]
pub struct RollbackArgs {
    /// The revision, or its first digits [default: the last good one before this one]
    revision: Option<String>,
    #[command(flatten)]
    group: GroupArgs,
    #[command(flatten)]
    rules: RulesArgs,
    /// Roll back although the group takes flows from its pipeline only; the audit log records it
    #[arg(long)]
    override_protection: bool,
    /// Show the rollout until it ends; the exit code is its result
    #[arg(long)]
    wait: bool,
}

/// Begins the rollout back.
pub async fn rollback(args: RollbackArgs) -> anyhow::Result<ExitCode> {
    let group = &args.group;
    let client = group.client();
    let rules = args.rules.rules(&client, &group.group).await?;
    let override_protection = args.override_protection;
    let rollback = Rollback { revision: args.revision, rules, override_protection, ..Rollback::default() };
    let begun = client.rollback(&group.group, &rollback).await?;
    if args.wait {
        return watch(group, begun.rollout.number).await;
    }
    if group.admin.json {
        client::json(&begun);
    } else {
        print(&format!("goes back to revision {}\n", begun.revision));
    }
    Ok(ExitCode::SUCCESS)
}
