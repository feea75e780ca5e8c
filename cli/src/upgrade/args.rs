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
    /// The new binary of Flotilla, for the processors of the hosts
    #[arg(long, value_name = "FILE", required_unless_present = "installed", conflicts_with = "installed")]
    pub binary: Option<PathBuf>,
    /// Go from a binary that was sent back to what is installed on each host
    #[arg(long)]
    pub installed: bool,
    /// Replicas of each group that stay ready at least [default: all but one]
    #[arg(long, value_name = "N")]
    pub min_available: Option<usize>,
    /// Seconds that each replica must stay well with the new binary
    #[arg(long, value_name = "SECONDS")]
    pub probation: Option<f64>,
    /// Seconds that each replica gets to start and be ready
    #[arg(long, value_name = "SECONDS")]
    pub ready_timeout: Option<f64>,
    /// Show the upgrade until it ends; the exit code says how: 0 done, 3 refused, 4 halted and back, 6 unchanged
    #[arg(long)]
    pub wait: bool,
    #[command(subcommand)]
    pub command: Option<UpgradeCommand>,
}

/// Its subcommands.
#[derive(Subcommand, Debug)]
pub enum UpgradeCommand {
    /// Where the upgrade is, host by host and replica by replica
    Status {
        /// Show it until it ends; the exit code says how
        #[arg(long)]
        wait: bool,
    },
    /// Halt; what moved goes back, one at a time
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
