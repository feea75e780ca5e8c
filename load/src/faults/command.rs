//! Commands with a deadline.

use std::ffi::OsStr;
use std::time::Duration;

use tokio::process::Command;

use super::group::GroupError;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs it; gives what it printed.
pub(super) async fn run(program: &str, args: &[&str]) -> Result<String, GroupError> {
    run_in(program, args, &[]).await
}

/// The same, with these variables.
pub(super) async fn run_in(program: &str, args: &[&str], variables: &[(&str, &OsStr)]) -> Result<String, GroupError> {
    let shown = || format!("{program} {}", args.join(" "));
    let mut command = Command::new(program);
    command.args(args).envs(variables.iter().copied()).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = command.output();
    let output = match tokio::time::timeout(PATIENCE, output).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(GroupError::Failed(format!("{}: {error}", shown()))),
        Err(_) => return Err(GroupError::Failed(format!("{} took longer than {} s", shown(), PATIENCE.as_secs()))),
    };
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(GroupError::Failed(format!("{}: {}", shown(), error.lines().last().unwrap_or_default())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
