//! `flotilla broker`: the MQTT broker as a process of its own, and what it can be asked.

mod args;
mod passwd;
mod serve;
mod status;

use std::process::ExitCode;

use args::Ask;
pub use args::BrokerArgs;
pub use status::routes as status_routes;

/// Runs the broker until SIGTERM or SIGINT, or asks a running one.
pub async fn run(args: BrokerArgs) -> anyhow::Result<ExitCode> {
    match args.ask {
        Some(Ask::Passwd(args)) => passwd::run(&args),
        Some(Ask::Status(args)) => status::run(args).await,
        None => serve::run(args.serve).await,
    }
}
