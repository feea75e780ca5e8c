//! What `flotilla deploy` takes.

use std::path::PathBuf;

use clap::Args;

use super::change::ChangeArgs;
use crate::client::GroupArgs;
use crate::flow_args::FlowArgs;
use crate::rollout::RulesArgs;

/// What `flotilla deploy` takes.
#[derive(Args, Debug)]
pub struct DeployArgs {
    /// The flow document, as exported from Node-RED, the folder that `flotilla flows split` wrote, or a FlowFuse snapshot
    /// (with --credential-secret); - is standard input. Without it the group's flow stays
    #[arg(value_name = "FLOWS.json")]
    pub flows: Option<PathBuf>,
    #[command(flatten)]
    pub group: GroupArgs,
    #[command(flatten)]
    pub flow: FlowArgs,
    #[command(flatten)]
    pub change: ChangeArgs,
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Reason, for the list of revisions and the audit log
    #[arg(long, short, default_value = "", value_name = "TEXT")]
    pub message: String,
    /// Deploy flows with unknown node types; such nodes drop messages and show it
    #[arg(long)]
    pub allow_unknown: bool,
    /// The flow's tests, as for `flotilla test`: kept with the revision, for pipelines that require them
    #[arg(long, value_name = "TESTS.json")]
    pub tests: Option<PathBuf>,
    /// Deploy although the group takes flows from its pipeline only; the audit log records it
    #[arg(long)]
    pub override_protection: bool,
    /// Show the rollout until it ends; exit code: 0 done, 3 refused, 4 halted and rolled back, 6 unchanged
    #[arg(long)]
    pub wait: bool,
    /// Only show what it would do: what restarts, what loses state, what is missing
    #[arg(long, conflicts_with = "wait")]
    pub dry_run: bool,
}
