//! Parts of Flotilla as processes of their own.

use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::ensure;

use crate::http::get;
use crate::process::flotilla;
use crate::wait::eventually;

/// A part that runs: `flotilla ARGS`. Dropped, it is killed.
pub struct Part(Child);

impl Part {
    /// Starts it with more environment variables.
    pub fn start(args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Part> {
        let mut command = Command::new(flotilla()?);
        command.args(args).envs(env.iter().copied());
        Part::run(command)
    }

    /// Starts it as this command does.
    pub fn run(mut command: Command) -> anyhow::Result<Part> {
        Ok(Part(command.stdin(Stdio::null()).spawn()?))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL; waits for the end.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }

    /// SIGTERM; waits for the end.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        let status = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status()?;
        ensure!(status.success(), "kill -TERM: {status}");
        eventually("the process to drain and end", Duration::from_secs(30), || self.ended())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until a GET has this status; returns the body.
pub fn wait_for(address: SocketAddr, path: &str, status: u16) -> anyhow::Result<String> {
    let asked = || get(address, path).ok().filter(|answer| answer.status == status);
    Ok(eventually(&format!("{status} from {address}{path}"), Duration::from_secs(30), asked)?.body)
}
