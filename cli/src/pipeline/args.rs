//! What `flotilla pipeline` takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::client::AdminArgs;

/// What `flotilla pipeline` takes.
#[derive(Args, Debug)]
pub struct PipelineArgs {
    #[command(flatten)]
    pub admin: AdminArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// A run of a pipeline.
#[derive(Args, Clone, Debug)]
pub struct WhichRun {
    /// The pipeline
    pub name: String,
    /// The number of the run [default: the oldest that is active]
    #[arg(long = "run", value_name = "NUMBER")]
    pub number: Option<u64>,
    /// Reason, for the run's log
    #[arg(long, short, default_value = "", value_name = "TEXT")]
    pub message: String,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Print a template of a pipeline, in JSON
    New {
        /// Its name
        #[arg(default_value = "my-pipeline")]
        name: String,
        /// With a last stage that is a group of another installation
        #[arg(long)]
        remote: bool,
    },
    /// Add a pipeline
    Add {
        /// File with the pipeline in JSON, or - for standard input
        #[arg(short, long)]
        file: PathBuf,
        /// File with the token of a stage that is a group of another installation; may be repeated
        #[arg(long, value_name = "STAGE=FILE", value_parser = of_stage)]
        token_file: Vec<(String, String)>,
        /// Variable with such a token; may be repeated
        #[arg(long, value_name = "STAGE=VARIABLE", value_parser = of_stage)]
        token_env: Vec<(String, String)>,
        /// File with the authority (PEM) of such a stage's certificate; may be repeated
        #[arg(long, value_name = "STAGE=FILE", value_parser = of_stage)]
        ca_file: Vec<(String, String)>,
    },
    /// Give a stage that is a group of another installation its token: that of a remote user that may deploy to the group
    Token {
        /// The pipeline
        name: String,
        /// The stage
        stage: String,
        /// File with the token, or - for standard input
        #[arg(long, value_name = "FILE", default_value = "-")]
        token_file: PathBuf,
        /// Variable with the token
        #[arg(long, value_name = "VARIABLE", conflicts_with = "token_file")]
        token_env: Option<String>,
    },
    /// List the pipelines
    List,
    /// Show a pipeline, and its active runs
    Show {
        /// Its name
        name: String,
    },
    /// Begin a run, which goes from stage to stage as long as gates are open
    Run {
        /// The pipeline
        name: String,
        /// The first stage of the run [default: the first]
        #[arg(long, value_name = "STAGE")]
        from: Option<String>,
        /// The last stage of the run [default: the last, or the first whose action is none]
        #[arg(long, value_name = "STAGE")]
        to: Option<String>,
        /// The snapshot of the first stage to pass on: its number or name
        #[arg(long, value_name = "SNAPSHOT")]
        snapshot: Option<String>,
        /// Why
        #[arg(long, short, default_value = "", value_name = "TEXT")]
        message: String,
        /// Show the run until it ends; exit code: 0 done, 3 a gate is closed, rejected or cancelled, 4 a rollout
        /// was halted
        #[arg(long)]
        wait: bool,
    },
    /// Approve a run; its author cannot
    Approve(WhichRun),
    /// Reject a run, which ends it
    Reject(WhichRun),
    /// Cancel a run that has not begun to roll out
    Cancel(WhichRun),
    /// Answer webhooks of GitHub and GitLab until a signal: a signed push starts a run
    Hook {
        /// The pipeline
        name: String,
        /// Address for webhooks
        #[arg(long, env = "FLOTILLA_HOOK_LISTEN", default_value = "127.0.0.1:1882", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
        listen: SocketAddr,
        /// The webhook's secret, as set in GitHub or GitLab
        #[arg(long, env = "FLOTILLA_HOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
        secret: String,
        /// Only pushes to this branch
        #[arg(long, value_name = "BRANCH")]
        branch: Option<String>,
    },
    /// List the runs of a pipeline, or show one with each step
    History {
        /// The pipeline
        name: String,
        /// Only this run, with each step
        #[arg(long = "run", value_name = "NUMBER")]
        number: Option<u64>,
    },
    /// Remove a pipeline without an active run
    Remove {
        /// Its name
        name: String,
    },
}

/// `STAGE=TEXT`.
fn of_stage(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((stage, rest)) if !stage.is_empty() && !rest.is_empty() => Ok((stage.to_owned(), rest.to_owned())),
        _ => Err(format!("\"{text}\" must be STAGE=NAME, with the name of a stage")),
    }
}
