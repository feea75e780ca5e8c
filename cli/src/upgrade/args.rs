//! What `flotilla upgrade` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use flotilla_api::rollout::Rules;

use crate::client::AdminArgs;

/// What `flotilla upgrade` takes.
#[derive(Args, Debug)]
#[command(subcommand_negates_reqs = true)]
pub struct UpgradeArgs {
    #[command(flatten)]
    pub admin: AdminArgs,
    /// The new Flotilla binary, for the processors of the hosts
    #[arg(long, value_name = "FILE", required_unless_present = "installed", conflicts_with = "installed")]
    pub binary: Option<PathBuf>,
    /// Switch from an uploaded binary back to the installed one on each host
    #[arg(long)]
    pub installed: bool,
    /// Fewest replicas of each group that stay ready [default: all but one]
    #[arg(long, value_name = "N")]
    pub min_available: Option<usize>,
    /// Seconds that each replica must stay healthy with the new binary
    #[arg(long, value_name = "SECONDS")]
    pub probation: Option<f64>,
    /// Seconds that each replica has to start and become ready
    #[arg(long, value_name = "SECONDS")]
    pub ready_timeout: Option<f64>,
    /// Show the upgrade until it ends; exit code: 0 done, 3 refused, 4 halted and rolled back, 6 unchanged
    #[arg(long)]
    pub wait: bool,
    #[command(subcommand)]
    pub command: Option<UpgradeCommand>,
}

/// Its subcommands.
#[derive(Subcommand, Debug)]
pub enum UpgradeCommand {
    /// Show the upgrade's progress, host by host and replica by replica
    Status {
        /// Show it until it ends; the exit code is its result
        #[arg(long)]
        wait: bool,
    },
    /// Halt; the replicas that moved go back, one at a time
    Cancel,
}

impl UpgradeArgs {
    /// The rules of the upgrade.
    pub fn rules(&self) -> Rules {
        let ms = |seconds: f64| (seconds.max(0.0) * 1000.0) as u64;
        let usual = Rules::default();
        Rules {
            min_available: self.min_available,
            probation_ms: self.probation.map_or(usual.probation_ms, ms),
            ready_ms: self.ready_timeout.map_or(usual.ready_ms, ms),
            ..usual
        }
    }
}
