//! A store of any kind that can be taken away for a while.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::ports::free_ports;
use crate::process::{pause, resume};
use crate::wait::eventually;

/// Which kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// A file.
    Sqlite,
    /// redis-server.
    Redis,
    /// nats-server with JetStream.
    Nats,
    /// PostgreSQL.
    Postgres,
}

/// A store. Dropped, its server is killed.
pub struct StoreServer {
    kind: StoreKind,
    url: String,
    server: Option<Child>,
    /// While a file is locked.
    lock: Option<rusqlite::Connection>,
    folder: TempDir,
}

impl StoreServer {
    /// Starts an empty one on a free port of loopback.
    pub fn start(kind: StoreKind) -> anyhow::Result<StoreServer> {
        let folder = TempDir::new()?;
        let [address] = free_ports()?;
        let port = address.port().to_string();
        let data = folder.path().join("data");
        let (url, command) = match kind {
            StoreKind::Sqlite => (format!("sqlite:{}", folder.path().join("store.db").display()), None),
            StoreKind::Redis => {
                let mut command = Command::new("redis-server");
                command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "yes", "--dir"]);
                command.arg(folder.path());
                (format!("redis://{address}"), Some(command))
            }
            StoreKind::Nats => {
                let mut command = Command::new("nats-server");
                command.args(["--addr", "127.0.0.1", "--port", &port, "--jetstream", "--store_dir"]).arg(&data);
                (format!("nats://{address}"), Some(command))
            }
            StoreKind::Postgres => {
                let command = postgres(folder.path(), &data, &port)?;
                (format!("postgres://tester@{address}/postgres"), Some(command))
            }
        };
        let server = command.map(|command| spawn(command, address)).transpose()?;
        Ok(StoreServer { kind, url, server, lock: None, folder })
    }

    /// As replicas are given it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes it away: its processes stand still; a file is locked, as by a backup.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        if self.kind == StoreKind::Sqlite {
            let lock = rusqlite::Connection::open(self.folder.path().join("store.db"))?;
            lock.busy_timeout(Duration::from_secs(10))?;
            lock.execute_batch("BEGIN EXCLUSIVE")?;
            self.lock = Some(lock);
        }
        self.processes()?.into_iter().try_for_each(pause)
    }

    /// Gives it back.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        if let Some(lock) = self.lock.take() {
            lock.execute_batch("ROLLBACK")?;
        }
        self.processes()?.into_iter().try_for_each(resume)
    }

    /// The server's processes: PostgreSQL has one for each connection.
    fn processes(&self) -> anyhow::Result<Vec<u32>> {
        let Some(server) = &self.server else { return Ok(Vec::new()) };
        let mut all = vec![server.id()];
        let children = format!("/proc/{0}/task/{0}/children", server.id());
        let children = std::fs::read_to_string(children)?;
        all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        Ok(all)
    }
}

impl Drop for StoreServer {
    fn drop(&mut self) {
        let all = self.processes().unwrap_or_default();
        if let Some(server) = &mut self.server {
            for pid in all {
                let _ = crate::process::kill(pid);
            }
            let _ = server.wait();
        }
    }
}

fn spawn(mut command: Command, address: SocketAddr) -> anyhow::Result<Child> {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{name} is needed"))?;
    eventually(&format!("{name} to listen"), Duration::from_secs(20), || TcpStream::connect(address).ok())?;
    Ok(child)
}

/// PostgreSQL does not run as root: then it runs as the user `postgres`.
fn postgres(folder: &Path, data: &Path, port: &str) -> anyhow::Result<Command> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<PathBuf> = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    found.retain(|path| path.join("initdb").exists());
    found.sort();
    let programs = found.pop().context("PostgreSQL is needed (package postgresql)")?;
    let id = |args: &[&str]| -> anyhow::Result<u32> {
        let output = Command::new("id").args(args).output()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().context("there is no user postgres")
    };
    let owner = if id(&["-u"])? == 0 { Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)) } else { None };
    let as_owner = |program: &str| {
        let mut command = Command::new(programs.join(program));
        if let Some((uid, gid)) = owner {
            command.uid(uid).gid(gid);
        }
        command.current_dir("/").stdin(Stdio::null());
        command
    };
    if let Some((uid, gid)) = owner {
        std::os::unix::fs::chown(folder, Some(uid), Some(gid))?;
    }
    let mut initdb = as_owner("initdb");
    initdb.arg("-D").arg(data).args(["-U", "tester", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"]);
    let made = initdb.output().context("initdb")?;
    ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let mut command = as_owner("postgres");
    command.arg("-D").arg(data).args(["-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
    command.args(["-c", "unix_socket_directories=", "-c", "shared_buffers=16MB"]);
    Ok(command)
}
