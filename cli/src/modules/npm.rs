//! The npm client, run in the folder.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::Command;

/// Fetching takes this long at most.
const LIMIT: Duration = Duration::from_secs(600);

/// Runs npm: with `locked` exactly what the lock file says, and what has another hash is refused. What it says goes to standard
/// error.
pub(super) async fn npm(program: &Path, folder: &Path, locked: bool) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.arg(if locked { "ci" } else { "install" });
    // Packages run nothing here: neither now nor when a replica starts.
    command.args([
        "--ignore-scripts",
        "--omit=dev",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
    ]);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let running = command.status();
    let ended = match tokio::time::timeout(LIMIT, running).await {
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "cannot find {}: install Node.js with npm on this machine, or give --npm; replicas need neither",
            program.display()
        ),
        Ok(ended) => ended.with_context(|| format!("cannot run {}", program.display()))?,
        Err(_) => bail!("npm did not end within {} s", LIMIT.as_secs()),
    };
    if !ended.success() {
        let how = if locked { "; to take newer versions, remove package-lock.json there" } else { "" };
        bail!("npm could not fetch the modules into {} ({ended}){how}", folder.display());
    }
    Ok(())
}
