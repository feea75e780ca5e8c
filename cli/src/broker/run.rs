//! Runs the broker, or asks a running one.

use std::process::ExitCode;

use super::args::{Ask, BrokerArgs};
use super::{passwd, serve, status};

/// Runs the broker until SIGTERM or SIGINT, or asks a running one.
pub async fn run(args: BrokerArgs) -> anyhow::Result<ExitCode> {
    match args.ask {
        Some(Ask::Passwd(args)) => passwd::run(&args),
        Some(Ask::Status(args)) => status::run(args).await,
        None => serve::run(args.serve).await,
    }
}
