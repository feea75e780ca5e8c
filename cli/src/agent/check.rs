//! Whether a binary starts here.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::crew::HANDOVER;

/// How long it may take to say its version, and to look whether it could be this agent.
const PATIENCE: Duration = Duration::from_secs(15);
/// What is kept of its output, in bytes.
const OUTPUT: u64 = 64 * 1024;

/// Looks whether a binary starts, and whether an agent could go on as it with the arguments of this one.
///
/// # Errors
/// Why not.
pub(super) async fn check(program: &Path) -> anyhow::Result<()> {
    let mut version = Command::new(program);
    version.args(["version", "--json"]);
    let said = run(version).await.context("its command `version` failed")?;
    let said: Value =
        serde_json::from_slice(&said).context("its command `version` printed no JSON, so it is not Flotilla")?;
    let format = said["record_format"].as_u64().unwrap_or(1);
    ensure!(
        format >= flotilla_group::RECORD_FORMAT,
        "version {} reads records up to format {format}, and those in the store are of format {}",
        said["version"],
        flotilla_group::RECORD_FORMAT
    );
    let mut agent = Command::new(program);
    agent.args(std::env::args_os().skip(1)).arg("--rehearse");
    run(agent).await.context("it cannot run as this agent").map(drop)
}

/// Runs it; its output. Nothing of it is left running.
async fn run(mut command: Command) -> anyhow::Result<Vec<u8>> {
    command.env_remove(HANDOVER);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let mut child = command.spawn().context("it cannot be run")?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = async { tokio::try_join!(first(stdout), first(stderr), child.wait()) };
    let Ok(ended) = tokio::time::timeout(PATIENCE, ended).await else {
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        bail!("it did not end within {} s", PATIENCE.as_secs());
    };
    let (stdout, stderr, status) = ended?;
    if !status.success() {
        let text = String::from_utf8_lossy(&stderr);
        let last = text.trim().lines().last().unwrap_or_default();
        bail!("{status}{}{last}", if last.is_empty() { "" } else { ": " });
    }
    Ok(stdout)
}

/// The first of what it writes; the rest is read and dropped.
async fn first(output: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let (mut bytes, Some(output)) = (Vec::new(), output) else { return Ok(Vec::new()) };
    let mut output = output.take(OUTPUT);
    output.read_to_end(&mut bytes).await?;
    tokio::io::copy(&mut output.into_inner(), &mut tokio::io::sink()).await?;
    Ok(bytes)
}
