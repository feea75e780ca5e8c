//! A redis-server of its own: a store that can be taken away.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

use crate::ports::free_ports;
use crate::process::{pause, resume};
use crate::wait::eventually;

/// A redis-server that writes its log to disk at every write, so that a crash loses nothing. Dropped, it is killed.
pub struct Redis {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Redis {
    /// Starts it on a free port of loopback.
    pub fn start() -> anyhow::Result<Redis> {
        Redis::start_on(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Starts it on a free port of an address of this machine. Nobody is asked for a password.
    pub fn start_on(ip: IpAddr) -> anyhow::Result<Redis> {
        let [mut address] = free_ports()?;
        address.set_ip(ip);
        let folder = TempDir::new()?;
        let child = spawn(address, &folder)?;
        Ok(Redis { child, address, folder })
    }

    /// As a store's URL.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// SIGSTOP: connections stay, nothing answers.
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

    /// Starts it again, with its data.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.child = spawn(self.address, &self.folder)?;
        Ok(())
    }
}

fn spawn(address: SocketAddr, folder: &TempDir) -> anyhow::Result<Child> {
    let child = Command::new("redis-server")
        .args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string(), "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--protected-mode", "no", "--dir"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("redis-server is needed (package redis-server)")?;
    eventually("redis-server to listen", Duration::from_secs(10), || TcpStream::connect(address).ok())?;
    Ok(child)
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
