//! The admin API and the subcommands that use it, from outside.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, ensure};
use flotilla_api::replica::{ReplicaRecord, ReplicaState};
use flotilla_api::{Client, ClientError};
use serde_json::Value;

use crate::http::{Answer, request};
use crate::process::flotilla;
use crate::up::Up;
use crate::wait::eventually;

/// The admin API of a gateway.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Where it listens.
    pub address: SocketAddr,
    /// The token that it asks for; none for `flotilla gateway` on loopback.
    pub token: Option<String>,
}

impl Admin {
    /// GET on a path.
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.request("GET", path, "", "")
    }

    /// One request; `headers` are whole lines, each with its line end.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> anyhow::Result<Answer> {
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        request(self.address, method, path, &(token + headers), body)
    }

    /// What the project's own client answers; `ask` makes one request.
    pub fn ask<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        ask: impl FnOnce(Client) -> F,
    ) -> Result<T, ClientError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime of one thread");
        runtime.block_on(ask(Client::new(self.address.to_string(), self.token.as_deref())))
    }

    /// The replicas; none while it does not answer.
    pub fn replicas(&self) -> Vec<ReplicaRecord> {
        self.ask(|client| async move { client.status().await }).unwrap_or_default()
    }

    /// How many replicas are ready.
    pub fn ready(&self) -> usize {
        self.replicas().iter().filter(|replica| replica.state == ReplicaState::Ready).count()
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
        let answer = self.request("POST", path, "Content-Type: application/json\r\n", &body)?;
        ensure!(answer.status == 202, "{}: {}", answer.status, answer.body);
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// The group's desired state; null while the admin API does not answer.
    pub fn desired(&self) -> Value {
        let answer = self.get("/api/v1/groups/default/rollout");
        answer.ok().and_then(|answer| serde_json::from_str(&answer.body).ok()).unwrap_or_default()
    }

    /// The phase of the rollout: `forward`, `returning`, `done`, `returned`.
    pub fn phase(&self) -> String {
        self.desired()["rollout"]["phase"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the rollout has ended; returns it.
    pub fn rollout_ended(&self, deadline: Duration) -> anyhow::Result<Value> {
        eventually("the rollout to end", deadline, || {
            let rollout = self.desired()["rollout"].take();
            matches!(rollout["phase"].as_str(), Some("done" | "returned")).then_some(rollout)
        })
    }

    /// The audit log, oldest first.
    pub fn audit(&self) -> Vec<Value> {
        let answer = self.get("/api/v1/groups/default/audit");
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
        Command::new(flotilla()?)
            .args(args)
            .env("FLOTILLA_ADMIN", admin)
            .env("FLOTILLA_DATA", self.data())
            .output()
            .context("cannot run flotilla")
    }

    /// The admin API.
    pub fn api(&self) -> Admin {
        let token = std::fs::read_to_string(self.data().join("admin.token")).ok();
        Admin { address: self.admin, token: token.map(|token| token.trim().to_owned()) }
    }

    /// See [`Admin::deploy`].
    pub fn deploy(&self, flows: &Value, rules: &Value) -> anyhow::Result<Value> {
        self.api().deploy(flows, rules)
    }

    /// See [`Admin::desired`].
    pub fn desired(&self) -> Value {
        self.api().desired()
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
    pub fn replicas(&self) -> Vec<ReplicaRecord> {
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
