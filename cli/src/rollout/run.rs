//! `flotilla rollout status|pause|resume|cancel`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::rollout::RolloutChange;

use super::progress::{summary, watch};
use crate::client::{self, GroupArgs};
use crate::plain::print;

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
    /// Show the rollout's progress, replica by replica
    Status {
        /// Show it until it ends; the exit code is its result
        #[arg(long)]
        wait: bool,
    },
    /// Pause: no further replica begins to move
    Pause,
    /// Resume after a pause
    Resume,
    /// Halt; replicas that moved go back one at a time
    Cancel,
}

/// Runs the subcommand.
pub async fn run(args: RolloutArgs) -> anyhow::Result<ExitCode> {
    let group = &args.group;
    let client = group.client();
    let change = match args.command {
        Command::Status { wait } => {
            let status = client.rollout(&group.group).await?;
            if let Some(rollout) = status.rollout.as_ref().filter(|_| wait) {
                return watch(group, rollout.number).await;
            }
            if group.admin.json {
                client::json(&status);
                return Ok(ExitCode::SUCCESS);
            }
            match &status.rollout {
                Some(rollout) => print(&summary(rollout)),
                None => print(&format!("the group runs revision {}; there was no rollout\n", status.revision)),
            }
            if let Some(why) = status.waits_for {
                print(&format!("waits: {why}\n"));
            }
            return Ok(ExitCode::SUCCESS);
        }
        Command::Pause => RolloutChange::Pause,
        Command::Resume => RolloutChange::Resume,
        Command::Cancel => RolloutChange::Cancel,
    };
    let rollout = client.change_rollout(&group.group, change).await?;
    if group.admin.json {
        client::json(&rollout);
    } else {
        print(&summary(&rollout));
    }
    Ok(ExitCode::SUCCESS)
}
