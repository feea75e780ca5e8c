//! Stores of several servers, whose first one dies and whose others go on.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::time::Duration;

use tempfile::TempDir;

use crate::ports::free_ports;
use crate::postgres::Postgres;
use crate::process::kill;
use crate::store_server::{family, spawn};
use crate::wait::eventually;

/// A store of several servers. Dropped, all are killed.
pub struct StoreCluster {
    url: String,
    servers: Vec<Child>,
    /// What has a standby take over.
    promote: Option<(Postgres, String)>,
    _folder: TempDir,
}

impl StoreCluster {
    /// PostgreSQL with a standby that has every commit before it is acknowledged.
    pub fn postgres() -> anyhow::Result<StoreCluster> {
        let folder = TempDir::new()?;
        let [first, second] = free_ports()?;
        let postgres = Postgres::find()?;
        let (data, copy) = (folder.path().join("first"), folder.path().join("second"));
        postgres.init(folder.path(), &data)?;
        let mut server = postgres.server(&data, first.port());
        server.args(["-c", "wal_level=replica", "-c", "synchronous_standby_names=*", "-c", "synchronous_commit=on"]);
        let primary = spawn(server, first)?;
        let mut servers = vec![primary];
        let copied = copy.display().to_string();
        let port = first.port().to_string();
        // It listens before it takes connections.
        eventually("PostgreSQL to take connections", Duration::from_secs(30), || {
            postgres.run("pg_isready", &["-q", "-h", "127.0.0.1", "-p", &port]).ok()
        })?;
        postgres.run(
            "pg_basebackup",
            &[
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-U",
                "tester",
                "-D",
                &copied,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
            ],
        )?;
        // Alone, after the first one has died, it waits for nobody.
        let mut server = postgres.server(&copy, second.port());
        server.args(["-c", "synchronous_standby_names=", "-c", "hot_standby=on"]);
        servers.push(spawn(server, second)?);
        let url = format!("postgres://tester@{first},{second}/postgres");
        Ok(StoreCluster { url, servers, promote: Some((postgres, copied)), _folder: folder })
    }

    /// Three NATS servers, each of which has every record.
    pub fn nats() -> anyhow::Result<StoreCluster> {
        let folder = TempDir::new()?;
        let clients: [SocketAddr; 3] = free_ports()?;
        let routes: [SocketAddr; 3] = free_ports()?;
        let monitors: [SocketAddr; 3] = free_ports()?;
        let all: Vec<String> = routes.iter().map(|route| format!("nats://{route}")).collect();
        let mut servers = Vec::new();
        for (number, ((client, route), monitor)) in clients.iter().zip(&routes).zip(&monitors).enumerate() {
            let mut command = Command::new("nats-server");
            command.args(["--addr", "127.0.0.1", "--port", &client.port().to_string(), "--jetstream", "--store_dir"]);
            command.arg(folder.path().join(format!("n{number}")));
            command.args(["--server_name", &format!("n{number}"), "--cluster_name", "test"]);
            command.args(["--cluster", &format!("nats://{route}"), "--routes", &all.join(",")]);
            command.args(["--http_port", &monitor.port().to_string()]);
            servers.push(spawn(command, *client)?);
        }
        // Before they have a leader, no bucket can be made.
        eventually("the servers to agree on a leader", Duration::from_secs(30), || {
            let found = crate::http::get(monitors[0], "/jsz").ok()?;
            let found: serde_json::Value = serde_json::from_str(&found.body).ok()?;
            found["meta_cluster"]["leader"].as_str().filter(|leader| !leader.is_empty()).map(drop)
        })?;
        let urls = clients.map(|client| client.to_string()).join(",");
        Ok(StoreCluster { url: format!("nats://{urls}?replicas=3"), servers, promote: None, _folder: folder })
    }

    /// As replicas are given it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kills the first server (of PostgreSQL: the one that writes), and has another one take over, as what watches over them
    /// does.
    pub fn fail_over(&mut self) -> anyhow::Result<()> {
        for pid in family(&self.servers[0])? {
            // A child may have ended with its parent.
            let _ = kill(pid);
        }
        self.servers[0].wait()?;
        if let Some((postgres, data)) = &self.promote {
            postgres.run("pg_ctl", &["promote", "-w", "-D", data])?;
        }
        Ok(())
    }
}

impl Drop for StoreCluster {
    fn drop(&mut self) {
        for server in &mut self.servers {
            for pid in family(server).unwrap_or_default() {
                let _ = kill(pid);
            }
            let _ = server.wait();
        }
    }
}
