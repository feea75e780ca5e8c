//! `flotilla health`: whether a process is ready, for health checks in containers that have no shell.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;

use crate::client::probe;
use crate::plain::print;

/// Asks one process.
#[derive(Args, Debug)]
pub struct HealthArgs {
    /// The process's --ops address; for a gateway its --admin address
    #[arg(env = "FLOTILLA_OPS", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    ops: SocketAddr,
    /// Ask whether it is alive instead of whether it is ready
    #[arg(long)]
    live: bool,
}

/// Prints what the process says of itself; exit code 0 when it is ready, 1 when it is not or does not answer.
pub async fn run(args: HealthArgs) -> anyhow::Result<ExitCode> {
    let path = if args.live { "/livez" } else { "/readyz" };
    let answer = probe(args.ops, path).await?;
    print(&answer.body);
    Ok(if answer.status == 200 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
