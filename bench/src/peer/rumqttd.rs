//! rumqttd, installed by cargo.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::process::{Process, free_port};

/// The version that is measured.
const VERSION: &str = "0.20.0";

/// A rumqttd that takes MQTT 3.1.1.
pub struct Rumqttd {
    /// Where it listens.
    pub address: SocketAddr,
    /// The process.
    pub process: Process,
}

impl Rumqttd {
    /// Starts it with its files in `dir`.
    pub fn start(dir: &Path) -> anyhow::Result<Rumqttd> {
        let binary = install()?;
        let address = free_port()?;
        let file = dir.join("rumqttd.toml");
        std::fs::write(
            &file,
            format!(
                r#"
id = 0
[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v4.1]
name = "v4-1"
listen = "{address}"
next_connection_delay_ms = 1
[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = 20480
max_inflight_count = 500
dynamic_filters = true
"#
            ),
        )?;
        let mut command = Command::new(binary);
        command.arg("-c").arg(&file).arg("-q");
        let mut process = Process::start(command, dir.join("rumqttd.log"))?;
        process.wait_for(address)?;
        Ok(Rumqttd { address, process })
    }
}

/// Installs it below `target/bench` unless it is there; gives its binary.
fn install() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/rumqttd");
    let binary = root.join("bin/rumqttd");
    if !binary.exists() {
        let status = Command::new("cargo")
            .args(["install", "rumqttd", "--version", VERSION, "--no-default-features", "--quiet", "--root"])
            .arg(&root)
            .status()
            .context("cargo is needed to install rumqttd")?;
        ensure!(status.success(), "cargo could not install rumqttd {VERSION}: {status}");
    }
    Ok(binary)
}
