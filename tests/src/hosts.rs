//! A group over several hosts: a store, a broker, a gateway, and agents as processes of their own.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use flotilla_api::replica::ReplicaState;
use serde_json::Value;
use tempfile::TempDir;

use crate::admin::{Admin, write_flow};
use crate::network::Network;
use crate::part::{Part, wait_for};
use crate::ports::free_ports;
use crate::process::{flotilla, kill};
use crate::redis::Redis;
use crate::store_server::{StoreKind, StoreServer};
use crate::wait::eventually;

/// How long something may take that ends by itself.
const ENDS: Duration = Duration::from_secs(60);

/// The key of the groups.
const KEY: &str = "the key of the groups on these hosts";

/// The store's server.
enum Server {
    Redis { _server: Redis },
    Any { _server: Box<StoreServer> },
}

/// Hosts and what they need.
pub struct Hosts {
    /// The store's URL.
    pub store: String,
    _server: Server,
    /// Where the broker listens.
    pub mqtt: SocketAddr,
    /// Where flow traffic comes in.
    pub http: SocketAddr,
    /// Where the admin API is.
    pub admin: Admin,
    /// Seconds that a host may be lost before its members are placed elsewhere, for agents that are started from now on.
    pub replace_after: u32,
    /// Levels of the lines of agents and replicas that are started from now on, as in RUST_LOG; with it they are kept for
    /// [`Hosts::log`], and go to the test's own error output otherwise.
    pub levels: Option<String>,
    agents: BTreeMap<String, Part>,
    parts: Vec<Part>,
    folder: TempDir,
    /// Where hosts have addresses of their own.
    network: Option<Network>,
}

impl Hosts {
    /// Starts store, broker and gateway; no host yet. All hosts are on loopback.
    pub fn start() -> anyhow::Result<Hosts> {
        Hosts::start_in(None)
    }

    /// The same with hosts that have addresses of their own in a network.
    pub fn start_in(network: Option<Network>) -> anyhow::Result<Hosts> {
        let ip = network.as_ref().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), Network::address);
        let redis = Redis::start_on(ip)?;
        let url = redis.url();
        Hosts::start_over(Server::Redis { _server: redis }, url, network)
    }

    /// The same on loopback over a store of this kind.
    pub fn start_on_store(kind: StoreKind) -> anyhow::Result<Hosts> {
        let server = StoreServer::start(kind)?;
        let url = server.url().to_owned();
        Hosts::start_over(Server::Any { _server: Box::new(server) }, url, None)
    }

    fn start_over(server: Server, url: String, network: Option<Network>) -> anyhow::Result<Hosts> {
        let ip = network.as_ref().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), Network::address);
        let [mut mqtt, http, admin, ops] = free_ports()?;
        mqtt.set_ip(ip);
        let (listen, shown) = (mqtt.to_string(), ops.to_string());
        let broker = Part::start(&["broker", "--listen", &listen, "--allow-anonymous", "--ops", &shown], &[])?;
        let (at, door) = (admin.to_string(), http.to_string());
        let folder = TempDir::new()?;
        let logs = folder.path().join("logs").display().to_string();
        let args = ["gateway", "--http", &door, "--admin", &at, "--store", &url, "--logs", &logs];
        let gateway = Part::start(&args, &[("FLOTILLA_GROUP_KEY", KEY)])?;
        wait_for(admin, "/livez", 200)?;
        wait_for(ops, "/readyz", 200)?;
        let (agents, parts) = (BTreeMap::new(), vec![broker, gateway]);
        Ok(Hosts {
            store: url,
            _server: server,
            mqtt,
            http,
            admin: Admin { address: admin, token: None },
            replace_after: 3,
            levels: None,
            agents,
            parts,
            folder,
            network,
        })
    }

    /// Starts the agent of a host.
    pub fn agent(&mut self, host: &str, args: &[&str]) -> anyhow::Result<()> {
        self.start_agent(host, args, KEY)
    }

    /// Starts the agent of a host with another key of the groups than all others have.
    pub fn agent_with_key(&mut self, host: &str, key: &str) -> anyhow::Result<()> {
        self.start_agent(host, &[], key)
    }

    fn start_agent(&mut self, host: &str, args: &[&str], key: &str) -> anyhow::Result<()> {
        let mut command = match &self.network {
            Some(network) => network.command(host, &flotilla()?),
            None => Command::new(flotilla()?),
        };
        // Quick leases, of replicas too; longer ones where many processes share few processors.
        let (listen, lease) = if self.network.is_some() { ("0.0.0.0:0", "5") } else { ("127.0.0.1:0", "2") };
        command.args([
            "agent",
            "--host",
            host,
            "--http",
            listen,
            "--host-lease",
            lease,
            "--replace-after",
            &self.replace_after.to_string(),
        ]);
        command.args(["--workers", "1"]).args(args);
        let data = self.folder.path().join(format!("agent-{host}"));
        command.envs([("FLOTILLA_STORE", self.store.as_str()), ("FLOTILLA_LEASE", lease)]);
        command.env("FLOTILLA_GROUP_KEY", key).env("FLOTILLA_DATA", data);
        if let Some(levels) = &self.levels {
            let kept = OpenOptions::new().create(true).append(true).open(self.log_file(host))?;
            command.env("RUST_LOG", levels).stderr(kept);
        }
        self.agents.insert(host.to_owned(), Part::run(command)?);
        eventually(&format!("host {host}"), ENDS, || self.host(host).filter(|host| host["alive"] == true)).map(drop)
    }

    fn log_file(&self, host: &str) -> PathBuf {
        self.folder.path().join(format!("agent-{host}.log"))
    }

    /// The log lines of the agents and their replicas, if they are kept: see `levels`.
    pub fn log(&self) -> String {
        self.agents.keys().map(|host| std::fs::read_to_string(self.log_file(host)).unwrap_or_default()).collect()
    }

    /// Starts one more gateway; answers where flow traffic comes in there.
    pub fn gateway(&self) -> anyhow::Result<(Part, SocketAddr)> {
        let [http, admin] = free_ports()?;
        let (at, door, url) = (admin.to_string(), http.to_string(), &self.store);
        let logs = self.folder.path().join("logs").display().to_string();
        let args = ["gateway", "--http", &door, "--admin", &at, "--store", url, "--logs", &logs];
        let part = Part::start(&args, &[("FLOTILLA_GROUP_KEY", KEY)])?;
        wait_for(admin, "/readyz", 200)?;
        Ok((part, http))
    }

    /// Adds a machine to the network.
    pub fn machine(&mut self, host: &str) -> anyhow::Result<()> {
        self.network.as_mut().context("hosts have a network")?.add(host)
    }

    /// A host loses its power: nobody is told, and everything on it is gone.
    pub fn power_off(&mut self, host: &str) -> anyhow::Result<()> {
        let network = self.network.as_ref().context("hosts have a network")?;
        network.cut(host)?;
        network.kill(host)?;
        self.agents.remove(host);
        Ok(())
    }

    /// Cuts a host off, or joins it to the others again.
    pub fn cut(&self, host: &str, cut: bool) -> anyhow::Result<()> {
        let network = self.network.as_ref().context("hosts have a network")?;
        if cut { network.cut(host) } else { network.join(host) }
    }

    /// The agent's process.
    pub fn agent_pid(&self, host: &str) -> anyhow::Result<u32> {
        Ok(self.agents.get(host).context("the host has an agent")?.pid())
    }

    /// SIGKILL for an agent: its replicas drain and end with it.
    pub fn kill(&mut self, host: &str) -> anyhow::Result<()> {
        self.agents.get_mut(host).context("the host has an agent")?.kill()
    }

    /// A host as the API shows it.
    pub fn host(&self, host: &str) -> Option<Value> {
        let answer = self.admin.get(&format!("/api/v1/hosts/{host}")).ok().filter(|answer| answer.status == 200)?;
        serde_json::from_str(&answer.body).ok()
    }

    /// Runs a subcommand.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(flotilla()?);
        command.args(args).env("FLOTILLA_ADMIN", self.admin.address.to_string());
        command.output().context("cannot run flotilla")
    }

    /// Runs a subcommand that has to succeed; answers its output.
    pub fn done(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = self.run(args)?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "{args:?}: {out}{err}");
        Ok(out.into_owned())
    }

    /// Runs a subcommand that has to be refused; answers what it says.
    pub fn refused(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = self.run(args)?;
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success(), "{args:?} was not refused: {}", String::from_utf8_lossy(&output.stdout));
        Ok(err)
    }

    /// A binary of Flotilla with other bytes than the one that runs: what follows an ELF file has no effect.
    pub fn other_binary(&self, name: &str) -> anyhow::Result<PathBuf> {
        let file = self.folder.path().join(name);
        let stripped = Command::new("strip").arg("-o").arg(&file).arg(flotilla()?).stderr(Stdio::null()).status();
        if !stripped.is_ok_and(|status| status.success()) {
            std::fs::copy(flotilla()?, &file)?;
        }
        OpenOptions::new().append(true).open(&file)?.write_all(name.as_bytes())?;
        Ok(file)
    }

    /// A script that is to pass for a binary; `$FLOTILLA` in it is one that works.
    pub fn script(&self, name: &str, body: &str) -> anyhow::Result<PathBuf> {
        let file = self.folder.path().join(name);
        let works = flotilla()?.display().to_string();
        std::fs::write(&file, format!("#!/bin/sh\nFLOTILLA='{works}'\n{body}\n"))?;
        Ok(file)
    }

    /// Writes JSON to a file.
    pub fn file(&self, name: &str, content: &Value) -> anyhow::Result<String> {
        let file = self.folder.path().join(name);
        std::fs::write(&file, content.to_string())?;
        Ok(file.display().to_string())
    }

    /// A flow whose broker nodes name this broker.
    pub fn at_its_broker(&self, document: &Value) -> Value {
        let mut document = document.clone();
        for node in document.as_array_mut().into_iter().flatten() {
            if node["type"] == "mqtt-broker" {
                node["broker"] = Value::from(self.mqtt.ip().to_string());
                node["port"] = Value::from(self.mqtt.port().to_string());
            }
        }
        document
    }

    /// Deploys a flow, its broker nodes pointed at the broker, to the group `default`.
    pub fn deploy(&self, document: &Value) -> anyhow::Result<()> {
        let file = write_flow(self.folder.path(), &self.at_its_broker(document))?;
        self.done(&["deploy", &file.display().to_string()]).map(drop)
    }

    /// How many ready replicas of the group `default` are on each host.
    pub fn spread(&self) -> BTreeMap<String, usize> {
        let mut spread = BTreeMap::new();
        for replica in self.admin.replicas().into_iter().filter(|replica| replica.state == ReplicaState::Ready) {
            *spread.entry(replica.host).or_default() += 1;
        }
        spread
    }

    /// Waits until the ready replicas are spread so.
    pub fn wait_for_spread(&self, wanted: &[(&str, usize)]) -> anyhow::Result<()> {
        self.wait_for_any_spread(&[wanted])
    }

    /// Waits until the ready replicas are spread in one of these ways.
    pub fn wait_for_any_spread(&self, wanted: &[&[(&str, usize)]]) -> anyhow::Result<()> {
        let wanted: Vec<BTreeMap<String, usize>> = wanted
            .iter()
            .map(|spread| spread.iter().map(|(host, count)| ((*host).to_owned(), *count)).collect())
            .collect();
        eventually(&format!("replicas on one of {wanted:?}"), ENDS, || wanted.contains(&self.spread()).then_some(()))
            .with_context(|| format!("they are on {:?}", self.spread()))
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let replicas: Vec<u32> = self.admin.replicas().into_iter().map(|replica| replica.pid).collect();
        // Agents first, so that nobody starts what another one lost; no replica is left that drains for long.
        self.agents.clear();
        for pid in replicas {
            let _ = kill(pid);
        }
        self.network = None;
        self.parts.clear();
    }
}
