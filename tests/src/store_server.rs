//! A store of any kind that can be taken away for a while.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

use crate::ports::free_ports;
use crate::postgres::Postgres;
use crate::process::{pause, resume};
use crate::wait::eventually;
use crate::wire::Wire;

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
    address: SocketAddr,
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
                let postgres = Postgres::find()?;
                postgres.init(folder.path(), &data)?;
                let command = postgres.server(&data, address.port());
                (format!("postgres://tester@{address}/postgres"), Some(command))
            }
        };
        let server = command.map(|command| spawn(command, address)).transpose()?;
        Ok(StoreServer { kind, url, address, server, lock: None, folder })
    }

    /// As replicas are given it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same over a wire that leads to it.
    pub fn url_over(&self, wire: &Wire) -> String {
        self.url.replace(&self.address.to_string(), &wire.address.to_string())
    }

    /// Where its server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
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
        self.server.as_ref().map_or_else(|| Ok(Vec::new()), family)
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

/// A server and its children.
pub(crate) fn family(server: &Child) -> anyhow::Result<Vec<u32>> {
    let mut all = vec![server.id()];
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", server.id()))?;
    all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    Ok(all)
}

/// Starts a server and waits until it listens.
pub(crate) fn spawn(mut command: Command, address: SocketAddr) -> anyhow::Result<Child> {
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
