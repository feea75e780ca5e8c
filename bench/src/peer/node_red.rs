//! Node-RED itself, installed by npm.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::process::{Process, free_port};

/// A version of Node-RED, and the Node that it needs.
#[derive(Clone, Copy, Debug)]
pub struct NodeRedVersion {
    /// Of `node-red`.
    pub version: &'static str,
    /// Of the npm package `node`; `None` for the Node on the PATH.
    pub node: Option<&'static str>,
}

/// The versions that are measured.
pub const NODE_REDS: [NodeRedVersion; 2] =
    [NodeRedVersion { version: "4.1.15", node: None }, NodeRedVersion { version: "5.0.7", node: Some("22.23.3") }];

/// A Node-RED that runs a flow.
pub struct NodeRed {
    /// Where its HTTP nodes listen.
    pub http: SocketAddr,
    /// The process: npm's script is not in between, so its processor time is Node-RED's.
    pub process: Process,
}

/// All but started.
pub struct Prepared {
    http: SocketAddr,
    command: Command,
    log: PathBuf,
}

impl Prepared {
    /// Starts it, and does not wait.
    pub fn spawn(self) -> anyhow::Result<NodeRed> {
        Ok(NodeRed { http: self.http, process: Process::start(self.command, self.log)? })
    }
}

impl NodeRed {
    /// Starts the first version with a flow document.
    pub fn start(dir: &Path, flows: &str) -> anyhow::Result<NodeRed> {
        NodeRed::start_version(dir, flows, NODE_REDS[0])
    }

    /// Starts a version with a flow document; waits until it listens.
    pub fn start_version(dir: &Path, flows: &str, version: NodeRedVersion) -> anyhow::Result<NodeRed> {
        let mut started = NodeRed::prepare(dir, flows, version)?.spawn()?;
        started.process.wait_for(started.http)?;
        Ok(started)
    }

    /// Installs it if need be, and writes its files.
    pub fn prepare(dir: &Path, flows: &str, version: NodeRedVersion) -> anyhow::Result<Prepared> {
        let installed = install(version)?;
        let home = dir.join(format!("node-red-{}", version.version));
        std::fs::create_dir_all(&home)?;
        std::fs::write(home.join("flows.json"), flows)?;
        std::fs::write(
            home.join("settings.js"),
            "module.exports = { uiHost: '127.0.0.1', flowFile: 'flows.json', disableEditor: true, telemetry: { enabled: false }, logging: { console: { level: 'info' } } };\n",
        )?;
        let http = free_port()?;
        let node = installed.join("node_modules/node/bin/node");
        let mut command = Command::new(if version.node.is_some() { node } else { PathBuf::from("node") });
        command.arg(installed.join("node_modules/node-red/red.js"));
        command.args(["--port", &http.port().to_string(), "--userDir"]).arg(&home);
        Ok(Prepared { http, command, log: home.join("node-red.log") })
    }
}

/// Installs Node-RED below `target/bench` unless it is there; gives the folder.
fn install(version: NodeRedVersion) -> anyhow::Result<PathBuf> {
    let NodeRedVersion { version, node } = version;
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/bench/node-red-{version}"));
    if !dir.join("node_modules/node-red/red.js").exists() {
        std::fs::create_dir_all(&dir)?;
        let mut command = Command::new("npm");
        command.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"]).arg(&dir);
        command.arg(format!("node-red@{version}")).args(node.map(|node| format!("node@{node}")));
        let status = command.status().context("npm is needed to install Node-RED")?;
        ensure!(status.success(), "npm could not install node-red@{version}: {status}");
    }
    Ok(dir)
}
