//! What `flotilla review` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::client::AdminArgs;

/// How the findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// JSON: an array of findings
    Json,
    /// JUnit XML
    Junit,
    /// SARIF 2.1.0
    Sarif,
}

/// What `flotilla review` takes.
#[derive(Args, Debug)]
pub struct ReviewArgs {
    /// The flow document, as exported from Node-RED, or the folder that `flotilla flows split` wrote; - is standard input
    #[arg(value_name = "FLOWS.json")]
    pub flows: PathBuf,
    /// How the findings are written
    #[arg(long, default_value = "text", value_name = "FORMAT", conflicts_with = "json")]
    pub format: Format,
    /// Look at this group, too: what the death of one of its hosts would do, and what is in the way of each replica
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    #[command(flatten)]
    pub admin: AdminArgs,
    /// File for the findings; people read theirs on standard output then
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the review as a page, too: each tab as the editor lays it out, with the findings on its nodes
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Exit with 1 for every finding, also those that are only worth knowing
    #[arg(long)]
    pub strict: bool,
}
