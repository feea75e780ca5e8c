//! A real Node-RED, to compare with.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::http::request;
use crate::npm::npm;
use crate::ports::free_ports;
use crate::wait::eventually;

/// The release that flows are compared with.
const PACKAGE: &str = "node-red@4.1.15";

/// A Node-RED that runs with a user directory. Dropped, it is killed.
pub struct NodeRed {
    child: Child,
    /// Flows, admin API and editor.
    pub http: SocketAddr,
}

impl NodeRed {
    /// Starts it with a user directory. Returns when it answers.
    pub fn start(dir: &Path) -> anyhow::Result<NodeRed> {
        NodeRed::launch(dir, |http| request(http, "GET", "/flows", "", "").is_ok_and(|answer| answer.status == 200))
    }

    /// The same with a directory whose settings have `https`: returns when something listens.
    pub fn start_tls(dir: &Path) -> anyhow::Result<NodeRed> {
        NodeRed::launch(dir, |http| TcpStream::connect(http).is_ok())
    }

    fn launch(dir: &Path, loaded: impl Fn(SocketAddr) -> bool) -> anyhow::Result<NodeRed> {
        let installed = npm(&[PACKAGE])?;
        let [http] = free_ports()?;
        let mut child = Command::new("node")
            .arg(installed.join("node_modules/node-red/red.js"))
            .arg("--userDir")
            .arg(dir)
            .args(["--port", &http.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("node is needed (package nodejs)")?;
        // It listens before its flows have started, and has read them when it can tell them.
        eventually("Node-RED to listen", Duration::from_mins(1), || {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(Err(anyhow::anyhow!("Node-RED ended: {status}")));
            }
            loaded(http).then_some(Ok(()))
        })??;
        Ok(NodeRed { child, http })
    }

    /// SIGINT, as at a terminal: it writes its context to files and ends.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        ensure!(status.success(), "kill -INT: {status}");
        eventually("Node-RED to end", Duration::from_secs(30), || self.child.try_wait().ok().flatten()).map(drop)
    }
}

impl Drop for NodeRed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
