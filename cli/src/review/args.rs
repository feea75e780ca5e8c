//! What `flotilla review` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::client::AdminArgs;

/// Format of the findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text
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
    /// Format of the findings
    #[arg(long, default_value = "text", value_name = "FORMAT", conflicts_with = "json")]
    pub format: Format,
    /// Also review this group: what the death of one of its hosts would cause, and what prevents each replica's placement
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    #[command(flatten)]
    pub admin: AdminArgs,
    /// File for the findings; standard output then has them as text
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also write the review as a page: each tab as in the editor, with the findings on its nodes
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Exit with 1 for every finding, also for mere information
    #[arg(long)]
    pub strict: bool,
}
