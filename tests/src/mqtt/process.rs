//! A broker in a process of its own, to be killed.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;

use crate::{eventually, flotilla, pause, resume};

/// `flotilla broker`. Dropped, it is killed.
pub struct BrokerProcess {
    child: Child,
}

impl BrokerProcess {
    /// Starts one at `address` that keeps its state in `folder`, and waits until it listens.
    pub fn start(address: SocketAddr, folder: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(flotilla()?)
            .args(["broker", "--listen", &address.to_string(), "--persist"])
            .arg(folder)
            .stdout(Stdio::null())
            .spawn()?;
        eventually("the broker listens", Duration::from_secs(30), || {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return Some(());
            }
            TcpStream::connect(address).is_ok().then_some(())
        })?;
        anyhow::ensure!(child.try_wait()?.is_none(), "the broker ended at once; its log says why");
        Ok(Self { child })
    }

    /// Bytes of its memory that are resident.
    pub fn resident(&self) -> anyhow::Result<usize> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in it")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1024)
    }

    /// SIGSTOP.
    pub fn pause(&self) -> anyhow::Result<()> {
        pause(self.child.id())
    }

    /// SIGCONT.
    pub fn resume(&self) -> anyhow::Result<()> {
        resume(self.child.id())
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for BrokerProcess {
    fn drop(&mut self) {
        // Already dead is as good.
        let _ = self.kill();
    }
}
