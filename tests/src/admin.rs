//! The admin API and the subcommands that use it, from outside.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::http::{get, request};
use crate::process::flotilla;
use crate::up::Up;
use crate::wait::eventually;

/// The admin API of a gateway.
#[derive(Clone, Copy, Debug)]
pub struct Admin {
    /// Where it listens.
    pub address: SocketAddr,
}

/// A replica as the admin API shows it.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Its id.
    pub id: String,
    /// Its process.
    pub pid: u32,
    /// Its state.
    pub state: String,
    /// The revision that it runs.
    pub revision: String,
    /// Deliveries completed.
    pub completed: u64,
    /// Resident memory in bytes.
    pub memory: u64,
}

impl Admin {
    /// The replicas; none while it does not answer.
    pub fn replicas(&self) -> Vec<Replica> {
        let Ok(answer) = get(self.address, "/api/v1/status") else { return Vec::new() };
        let list: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let replica = |value: &Value| {
            Some(Replica {
                id: value["id"].as_str()?.to_owned(),
                pid: u32::try_from(value["pid"].as_u64()?).ok()?,
                state: value["state"].as_str()?.to_owned(),
                revision: value["revision"].as_str()?.to_owned(),
                completed: value["completed"].as_u64()?,
                memory: value["memory"].as_u64()?,
            })
        };
        list.as_array().into_iter().flatten().filter_map(replica).collect()
    }

    /// How many replicas are ready.
    pub fn ready(&self) -> usize {
        self.replicas().iter().filter(|replica| replica.state == "ready").count()
    }

    /// Waits until this many are ready.
    pub fn wait_for_ready(&self, replicas: usize) -> anyhow::Result<()> {
        eventually(&format!("{replicas} ready replicas"), Duration::from_mins(1), || {
            (self.ready() == replicas).then_some(())
        })
    }

    /// Begins a deploy through the admin API; `rules` are the rollout's.
    pub fn deploy(&self, flows: &Value, rules: &Value) -> anyhow::Result<Value> {
        let body = serde_json::json!({"flows": flows, "rules": rules, "actor": "test"}).to_string();
        let path = "/api/v1/groups/default/deploy";
        let answer = request(self.address, "POST", path, "Content-Type: application/json\r\n", &body)?;
        ensure!(answer.status == 202, "{}: {}", answer.status, answer.body);
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// The group's course; null while the admin API does not answer.
    pub fn course(&self) -> Value {
        let answer = get(self.address, "/api/v1/groups/default/rollout");
        answer.ok().and_then(|answer| serde_json::from_str(&answer.body).ok()).unwrap_or_default()
    }

    /// The phase of the rollout: `forward`, `returning`, `done`, `returned`.
    pub fn phase(&self) -> String {
        self.course()["rollout"]["phase"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the rollout has ended; returns it.
    pub fn rollout_ended(&self, deadline: Duration) -> anyhow::Result<Value> {
        eventually("the rollout to end", deadline, || {
            let rollout = self.course()["rollout"].take();
            matches!(rollout["phase"].as_str(), Some("done" | "returned")).then_some(rollout)
        })
    }

    /// The audit log, oldest first.
    pub fn audit(&self) -> Vec<Value> {
        let answer = get(self.address, "/api/v1/groups/default/audit");
        let list = answer.ok().and_then(|answer| serde_json::from_str::<Value>(&answer.body).ok());
        list.and_then(|list| list.as_array().cloned()).unwrap_or_default()
    }

    /// The revision of each living replica.
    pub fn revisions(&self) -> Vec<String> {
        self.replicas().into_iter().map(|replica| replica.revision).collect()
    }
}

impl Up {
    /// Runs a subcommand against this group's admin API.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        let admin = self.admin.to_string();
        Command::new(flotilla()?).args(args).env("FLOTILLA_ADMIN", admin).output().context("cannot run flotilla")
    }

    /// The admin API.
    pub fn api(&self) -> Admin {
        Admin { address: self.admin }
    }

    /// See [`Admin::deploy`].
    pub fn deploy(&self, flows: &Value, rules: &Value) -> anyhow::Result<Value> {
        self.api().deploy(flows, rules)
    }

    /// See [`Admin::course`].
    pub fn course(&self) -> Value {
        self.api().course()
    }

    /// See [`Admin::phase`].
    pub fn phase(&self) -> String {
        self.api().phase()
    }

    /// See [`Admin::rollout_ended`].
    pub fn rollout_ended(&self, deadline: Duration) -> anyhow::Result<Value> {
        self.api().rollout_ended(deadline)
    }

    /// See [`Admin::audit`].
    pub fn audit(&self) -> Vec<Value> {
        self.api().audit()
    }

    /// See [`Admin::revisions`].
    pub fn revisions(&self) -> Vec<String> {
        self.api().revisions()
    }

    /// See [`Admin::replicas`].
    pub fn replicas(&self) -> Vec<Replica> {
        self.api().replicas()
    }

    /// See [`Admin::ready`].
    pub fn ready(&self) -> usize {
        self.api().ready()
    }

    /// See [`Admin::wait_for_ready`].
    pub fn wait_for_ready(&self, replicas: usize) -> anyhow::Result<()> {
        self.api().wait_for_ready(replicas)
    }

    /// Sends a flow document's mqtt-broker nodes to this run's broker.
    pub fn point(&self, document: &mut Value) {
        for node in document.as_array_mut().into_iter().flatten() {
            if node["type"] == "mqtt-broker" {
                node["port"] = Value::from(self.mqtt.port().to_string());
            }
        }
    }
}

/// Writes a flow document to a file of its own.
pub fn write_flow(folder: &Path, document: &Value) -> anyhow::Result<std::path::PathBuf> {
    let file = folder.join("flows.json");
    std::fs::write(&file, document.to_string())?;
    Ok(file)
}
