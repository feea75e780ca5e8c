//! `flotilla rollout status|pause|resume|cancel`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::progress::{summary, watch};
use crate::client::{self, GroupArgs};
use crate::review::print;

/// What `flotilla rollout` takes.
#[derive(Args, Debug)]
pub struct RolloutArgs {
    #[command(flatten)]
    group: GroupArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Where the rollout is, replica by replica
    Status {
        /// Show it until it ends; the exit code says how
        #[arg(long)]
        wait: bool,
    },
    /// Let no further replica begin to move
    Pause,
    /// Go on after a pause
    Resume,
    /// Halt; replicas that moved go back one at a time
    Cancel,
}

/// Runs the subcommand.
pub async fn run(args: RolloutArgs) -> anyhow::Result<ExitCode> {
    let group = &args.group;
    let what = match args.command {
        Command::Status { wait } => {
            let course = group.client().get(&group.path("rollout")).await?;
            let number = course["rollout"]["number"].as_u64();
            if let Some(number) = number.filter(|_| wait) {
                return watch(group, number).await;
            }
            if group.admin.json {
                client::json(&course);
            } else if number.is_none() {
                print(&format!("the group runs revision {}; there was no rollout\n", course["revision"]));
            } else {
                print(&summary(&course["rollout"]));
                if let Some(why) = course["waits_for"].as_str() {
                    print(&format!("waits: {why}\n"));
                }
            }
            return Ok(ExitCode::SUCCESS);
        }
        Command::Pause => "pause",
        Command::Resume => "resume",
        Command::Cancel => "cancel",
    };
    let path = group.path(&format!("rollout/{what}"));
    let rollout = group.client().post(&path, &json!({"actor": client::actor()})).await?;
    if group.admin.json {
        client::json(&rollout);
    } else {
        print(&summary(&rollout));
    }
    Ok(ExitCode::SUCCESS)
}
