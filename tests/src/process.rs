//! Processes: where the binary is, and signals.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

/// A signal that was sent.
pub type Killed = anyhow::Result<()>;

/// The `flotilla` binary that was built beside this test, or the one that `FLOTILLA` names: the harness runs against any.
pub fn flotilla() -> anyhow::Result<PathBuf> {
    if let Some(binary) = std::env::var_os("FLOTILLA") {
        return Ok(binary.into());
    }
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("a test binary is in target/PROFILE/deps")?;
    let binary = folder.join("flotilla");
    ensure!(binary.exists(), "{} is not built: run cargo build -p flotilla first", binary.display());
    Ok(binary)
}

/// True when a program is in a folder of the PATH.
pub fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// An example flow document of the project.
pub fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../flows/examples").join(name)
}

/// Sends a signal by its name.
pub(crate) fn signal(name: &str, pid: u32) -> Killed {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status()?;
    ensure!(status.success(), "kill -{name} {pid}: {status}");
    Ok(())
}

/// SIGKILL.
pub fn kill(pid: u32) -> Killed {
    signal("KILL", pid)
}

/// SIGTERM.
pub fn terminate(pid: u32) -> Killed {
    signal("TERM", pid)
}

/// SIGSTOP.
pub fn pause(pid: u32) -> Killed {
    signal("STOP", pid)
}

/// SIGCONT.
pub fn resume(pid: u32) -> Killed {
    signal("CONT", pid)
}

/// The peak of a process's resident memory (`VmHWM`) less the pages of files that are resident now (`RssFile`), in bytes. This
/// approximates the most memory of its own that it ever had: the pages of its binary, which all processes share and which grow
/// with what is compiled in, are to be left out, but the kernel keeps no peak without them. How many were resident at the peak
/// is not known; the result is off by as many as came or went since.
pub fn peak_memory(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| -> anyhow::Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
        Ok(line.split_whitespace().next().context("it has a value")?.parse()?)
    };
    Ok(kib("VmHWM:")?.saturating_sub(kib("RssFile:")?) << 10)
}
