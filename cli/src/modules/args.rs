//! What `flotilla modules` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `flotilla modules` takes.
#[derive(Args, Debug)]
pub struct ModulesArgs {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Fetch the npm modules that the function nodes name in their `libs` into a folder, with npm. It writes a lock file with
    /// the hash of each package there, and later installs take exactly those. It runs no scripts of packages
    Install(InstallArgs),
}

#[derive(Args, Debug)]
pub(super) struct InstallArgs {
    /// The flow document, or the folder that `flotilla flows split` wrote; - is standard input
    #[arg(value_name = "FLOWS.json")]
    pub(super) flows: PathBuf,
    /// The folder to give to replicas as --node-modules
    #[arg(long, default_value = "flow-modules", value_name = "DIR")]
    pub(super) into: PathBuf,
    /// The npm client; its own configuration names the registry
    #[arg(long, env = "FLOTILLA_NPM", default_value = "npm", value_name = "PROGRAM")]
    pub(super) npm: PathBuf,
}
