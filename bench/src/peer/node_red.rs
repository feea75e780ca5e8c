//! Node-RED itself, installed by npm.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::process::{Process, free_port};

/// The version that is measured.
const VERSION: &str = "4.1.15";

/// A Node-RED that runs a flow.
pub struct NodeRed {
    /// Where its HTTP nodes listen.
    pub http: SocketAddr,
    /// The process: npm's script is not in between, so its processor time is Node-RED's.
    pub process: Process,
}

impl NodeRed {
    /// Starts it with a flow document.
    pub fn start(dir: &Path, flows: &str) -> anyhow::Result<NodeRed> {
        let script = install()?;
        let home = dir.join("node-red");
        std::fs::create_dir_all(&home)?;
        std::fs::write(home.join("flows.json"), flows)?;
        std::fs::write(
            home.join("settings.js"),
            "module.exports = { uiHost: '127.0.0.1', flowFile: 'flows.json', disableEditor: true, telemetry: { enabled: false }, logging: { console: { level: 'info' } } };\n",
        )?;
        let http = free_port()?;
        let mut command = Command::new("node");
        command.arg(script).args(["--port", &http.port().to_string(), "--userDir"]).arg(&home);
        let mut process = Process::start(command, dir.join("node-red.log"))?;
        process.wait_for(http)?;
        Ok(NodeRed { http, process })
    }
}

/// Installs Node-RED below `target/bench` unless it is there; gives its start script.
fn install() -> anyhow::Result<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/node-red-install");
    let script = dir.join("node_modules/node-red/red.js");
    if !script.exists() {
        std::fs::create_dir_all(&dir)?;
        let status = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"])
            .arg(&dir)
            .arg(format!("node-red@{VERSION}"))
            .status()
            .context("npm is needed to install Node-RED")?;
        ensure!(status.success(), "npm could not install node-red@{VERSION}: {status}");
    }
    Ok(script)
}
