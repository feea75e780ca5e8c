//! One replica of Flotilla, without gateway or supervisor.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use super::process::{Process, free_port};

/// A replica that runs a flow.
pub struct Replica {
    /// Where its HTTP nodes listen.
    pub http: SocketAddr,
    /// The process.
    pub process: Process,
}

/// The binary that was built with this one.
pub fn binary() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("flotilla");
    ensure!(path.exists(), "{} is not there: run cargo build --release -p flotilla first", path.display());
    Ok(path)
}

impl Replica {
    /// Starts it with a flow document and a store of its own.
    pub fn start(dir: &Path, flows: &str) -> anyhow::Result<Replica> {
        let file = dir.join("flows.json");
        std::fs::write(&file, flows)?;
        let http = free_port()?;
        let mut command = Command::new(binary()?);
        command
            .arg("replica")
            .arg(&file)
            .args(["--http", &http.to_string(), "--store"])
            .arg(format!("sqlite:{}", dir.join("store.db").display()));
        let mut process = Process::start(command, dir.join("replica.log"))?;
        process.wait_for(http)?;
        Ok(Replica { http, process })
    }
}
