//! `flotilla testhost`: runs flows for another process that speaks NDJSON on stdin and stdout.

use anyhow::Context as _;

/// Serves stdin until it ends.
pub fn run() -> anyhow::Result<std::process::ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the threads of the test host")?;
    runtime.block_on(flotilla_testhost::run())?;
    Ok(std::process::ExitCode::SUCCESS)
}
