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
    ensure!(
        path.exists(),
        "{} is not there: run cargo build --profile dist -p flotilla -p flotilla-bench first",
        path.display()
    );
    Ok(path)
}

impl Replica {
    /// Starts it with a flow document and a store of its own.
    pub fn start(dir: &Path, flows: &str) -> anyhow::Result<Replica> {
        Replica::start_with(&binary()?, dir, flows)
    }

    /// The same with another binary; `dir` is made.
    pub fn start_with(binary: &Path, dir: &Path, flows: &str) -> anyhow::Result<Replica> {
        Replica::join(binary, dir, flows, &format!("sqlite:{}", dir.join("store.db").display()))
    }

    /// The same at a store that others may use.
    pub fn join(binary: &Path, dir: &Path, flows: &str, store: &str) -> anyhow::Result<Replica> {
        Replica::set_up(binary, dir, flows, store, |_| {})
    }

    /// The same with more arguments or another environment.
    pub fn set_up(
        binary: &Path,
        dir: &Path,
        flows: &str,
        store: &str,
        more: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Replica> {
        std::fs::create_dir_all(dir)?;
        let file = dir.join("flows.json");
        std::fs::write(&file, flows)?;
        let http = free_port()?;
        let mut command = Command::new(binary);
        command.arg("replica").arg(&file).args(["--http", &http.to_string(), "--store", store]);
        more(&mut command);
        let mut process = Process::start(command, dir.join("replica.log"))?;
        process.wait_for(http)?;
        Ok(Replica { http, process })
    }
}
