//! A `flotilla up` of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::peer::{Process, binary, free_port};

/// A group that runs; all of its processes end with it.
pub struct Group {
    /// The embedded broker.
    pub mqtt: SocketAddr,
    /// Flow traffic.
    pub http: SocketAddr,
    /// Its data folder.
    pub data: PathBuf,
    /// The supervisor.
    pub process: Process,
}

impl Group {
    /// Starts it and waits until it is ready.
    pub fn start(dir: &Path, flows: &str, replicas: usize, more: &[&str]) -> anyhow::Result<Group> {
        std::fs::create_dir_all(dir)?;
        let (mqtt, http, admin) = (free_port()?, free_port()?, free_port()?);
        let (file, data) = (dir.join("flows.json"), dir.join("data"));
        std::fs::write(&file, flows.replace("PORT", &mqtt.port().to_string()))?;
        let mut command = Command::new(binary()?);
        command.arg("up").arg(&file).arg("--data").arg(&data).args(more);
        for (flag, value) in [("--mqtt", mqtt), ("--http", http), ("--admin", admin)] {
            command.args([flag, &value.to_string()]);
        }
        command.args(["--replicas", &replicas.to_string()]);
        let mut process = Process::start(command, dir.join("up.log"))?;
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let asked =
                Command::new(binary()?).args(["health", &admin.to_string()]).output().context("flotilla health")?;
            if asked.status.success() {
                return Ok(Group { mqtt, http, data, process });
            }
            process.check()?;
            if Instant::now() > deadline {
                bail!("the group was not ready within a minute: {}", String::from_utf8_lossy(&asked.stderr));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
