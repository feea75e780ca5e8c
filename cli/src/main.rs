//! The `flotilla` binary.

mod broker;
mod testhost;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs Node-RED flows as a group of identical replicas.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the MQTT broker.
    Broker(broker::BrokerArgs),
    /// Runs flows for another process that speaks newline-delimited JSON on stdin and stdout.
    Testhost,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Broker(args) => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(broker::run(args))
        }
        Command::Testhost => testhost::run(),
    }
}
