//! `flotilla up` as a user runs it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::ports::free_ports;
use crate::up_process::UpProcess;
use crate::wait::eventually;

/// How `flotilla up` is started.
#[derive(Clone, Debug)]
pub struct UpOptions {
    /// How many replicas.
    pub replicas: usize,
    /// More arguments.
    pub args: Vec<String>,
}

/// A group that runs. Dropped, it is killed.
pub struct Up {
    process: UpProcess,
    /// Where the broker listens.
    pub mqtt: SocketAddr,
    /// Where flow traffic goes in.
    pub http: SocketAddr,
    /// Where the admin API is.
    pub admin: SocketAddr,
    args: Vec<OsString>,
    env: Vec<(String, String)>,
    data: TempDir,
}

/// A copy of the flow document whose brokers are at another port.
fn with_broker(flows: &Path, mqtt: SocketAddr, folder: &Path) -> anyhow::Result<PathBuf> {
    let text = std::fs::read_to_string(flows).with_context(|| flows.display().to_string())?;
    let mut document: Value = serde_json::from_str(&text)?;
    for node in document.as_array_mut().into_iter().flatten() {
        if node["type"] == "mqtt-broker" {
            node["port"] = Value::from(mqtt.port().to_string());
        }
    }
    let file = folder.join("flows.json");
    std::fs::write(&file, document.to_string())?;
    Ok(file)
}

impl Default for UpOptions {
    fn default() -> UpOptions {
        UpOptions { replicas: 3, args: Vec::new() }
    }
}

impl Up {
    /// Starts a flow document, or a user directory as it is. Its `mqtt-broker` nodes are pointed at the embedded broker's port of this run; nothing
    /// else in it is touched. Returns when every replica is ready.
    pub fn start(flows: &Path, options: UpOptions) -> anyhow::Result<Up> {
        Up::start_under(flows, options, Vec::new())
    }

    /// The same with environment variables.
    pub fn start_under(flows: &Path, options: UpOptions, env: Vec<(String, String)>) -> anyhow::Result<Up> {
        let [mqtt] = free_ports()?;
        Up::start_at(flows, options, mqtt, env)
    }

    /// The same with what an earlier run left: the files of this folder are the data folder's.
    pub fn start_on(left: &Path, flows: &Path, options: UpOptions) -> anyhow::Result<Up> {
        let [mqtt] = free_ports()?;
        let data = TempDir::new()?;
        std::fs::create_dir(data.path().join("data"))?;
        for file in std::fs::read_dir(left)? {
            let file = file?;
            std::fs::copy(file.path(), data.path().join("data").join(file.file_name()))?;
        }
        Up::start_in(data, flows, options, mqtt, Vec::new())
    }

    /// The same with its data on another disk, and with environment variables.
    pub fn start_on_disk(
        disk: &Path,
        flows: &Path,
        options: UpOptions,
        env: Vec<(String, String)>,
    ) -> anyhow::Result<Up> {
        let [mqtt] = free_ports()?;
        Up::start_in(TempDir::new_in(disk)?, flows, options, mqtt, env)
    }

    /// The same with another broker instead of the embedded one.
    pub fn start_beside(flows: &Path, options: UpOptions, broker: SocketAddr) -> anyhow::Result<Up> {
        Up::start_beside_under(flows, options, broker, Vec::new())
    }

    /// The same with environment variables.
    pub fn start_beside_under(
        flows: &Path,
        mut options: UpOptions,
        broker: SocketAddr,
        env: Vec<(String, String)>,
    ) -> anyhow::Result<Up> {
        options.args.push("--no-broker".to_owned());
        Up::start_at(flows, options, broker, env)
    }

    fn start_at(flows: &Path, options: UpOptions, mqtt: SocketAddr, env: Vec<(String, String)>) -> anyhow::Result<Up> {
        Up::start_in(TempDir::new()?, flows, options, mqtt, env)
    }

    fn start_in(
        data: TempDir,
        flows: &Path,
        options: UpOptions,
        mqtt: SocketAddr,
        env: Vec<(String, String)>,
    ) -> anyhow::Result<Up> {
        let [http, admin] = free_ports()?;
        let file = if flows.is_dir() { flows.to_owned() } else { with_broker(flows, mqtt, data.path())? };
        let mut args: Vec<OsString> = vec!["up".into(), file.into(), "--data".into(), data.path().join("data").into()];
        let addresses = [("--mqtt", mqtt), ("--http", http), ("--admin", admin)];
        args.extend(addresses.iter().flat_map(|(flag, address)| [(*flag).into(), address.to_string().into()]));
        args.extend(["--replicas".into(), options.replicas.to_string().into()]);
        args.extend(options.args.iter().map(OsString::from));
        let process = UpProcess::start(&args, &env)?;
        let mut up = Up { process, mqtt, http, admin, args, env, data };
        let ready = up.wait_ready(options.replicas, Duration::from_mins(1));
        if let Err(error) = ready {
            anyhow::bail!("{error}\n{}", up.log());
        }
        Ok(up)
    }

    /// Starts it again with the same data, after [`Up::stop`]. Returns when as many replicas as before are ready.
    pub fn start_again(&mut self, replicas: usize) -> anyhow::Result<()> {
        self.process = UpProcess::start(&self.args, &self.env)?;
        self.wait_ready(replicas, Duration::from_mins(1))
    }

    /// The same with other values of these flags: `[FLAG, VALUE, FLAG, VALUE]`.
    pub fn start_again_with(&mut self, args: &[&str], replicas: usize) -> anyhow::Result<()> {
        for pair in args.chunks(2) {
            match self.args.iter().position(|arg| arg == pair[0]) {
                Some(flag) => self.args[flag + 1] = pair[1].into(),
                None => self.args.extend(pair.iter().map(OsString::from)),
            }
        }
        self.start_again(replicas)
    }

    fn wait_ready(&mut self, replicas: usize, deadline: Duration) -> anyhow::Result<()> {
        eventually("READY=1 and every replica ready", deadline, || {
            if let Ok(Some(status)) = self.process.child.try_wait() {
                return Some(Err(anyhow::anyhow!("flotilla up ended: {status}")));
            }
            (self.process.is_ready() && self.ready() == replicas).then_some(Ok(()))
        })?
    }

    /// What it printed; the banner is whole once it is ready.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Its log lines.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The folder with its store.
    pub fn data(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// What is in all files of that folder and those below it.
    pub fn kept(&self) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
        let (mut folders, mut files) = (vec![self.data()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let content = std::fs::read(&path)?;
                    files.push((path, content));
                }
            }
        }
        Ok(files)
    }

    /// The process of the supervisor.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// SIGTERM; waits for the end.
    pub fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        let status = Command::new("kill").args(["-TERM", &self.process.child.id().to_string()]).status()?;
        ensure!(status.success(), "kill -TERM: {status}");
        eventually("flotilla up to drain and end", Duration::from_mins(1), || {
            self.process.child.try_wait().ok().flatten()
        })
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let replicas = self.replicas();
        let _ = self.process.child.kill();
        let _ = self.process.child.wait();
        // Its replicas drain when it is gone; a test that failed does not wait for that.
        for replica in replicas {
            let _ = crate::process::kill(replica.pid);
        }
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
