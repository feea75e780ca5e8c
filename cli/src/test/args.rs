//! What `flotilla test` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::flow_args::FlowArgs;

/// Format of the results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text
    #[default]
    Pretty,
    /// TAP version 14
    Tap,
    /// JUnit XML
    Junit,
}

/// What `flotilla test` takes.
#[derive(Args, Clone, Debug)]
pub struct TestArgs {
    /// The flow document, as exported from Node-RED
    #[arg(value_name = "FLOWS.json")]
    pub flows: PathBuf,
    /// The tests: see docs/testing-flows.md
    #[arg(value_name = "TESTS.json")]
    pub tests: PathBuf,
    #[command(flatten)]
    pub flow: FlowArgs,
    /// Format of the results
    #[arg(long, default_value = "pretty", value_name = "FORMAT")]
    pub format: Format,
    /// File for the results; standard output then has them as text
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Run only tests whose name contains this text
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// Run flows with unknown node types; such nodes accept messages and give a test's answers
    #[arg(long, env = "FLOTILLA_ALLOW_UNKNOWN")]
    pub allow_unknown: bool,
    /// Folder with npm modules for function nodes
    #[arg(long, env = "FLOTILLA_NODE_MODULES", value_name = "DIR")]
    pub node_modules: Option<PathBuf>,
}
