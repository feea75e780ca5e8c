//! The admin API and the subcommands that use it, from outside.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::http::{get, request};
use crate::process::flotilla;
use crate::up::Up;
use crate::wait::eventually;

impl Up {
    /// Runs a subcommand against this group's admin API.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        let admin = self.admin.to_string();
        Command::new(flotilla()?).args(args).env("FLOTILLA_ADMIN", admin).output().context("cannot run flotilla")
    }

    /// Begins a deploy through the admin API; `rules` are the rollout's.
    pub fn deploy(&self, flows: &Value, rules: &Value) -> anyhow::Result<Value> {
        let body = serde_json::json!({"flows": flows, "rules": rules, "actor": "test"}).to_string();
        let path = "/api/v1/groups/default/deploy";
        let answer = request(self.admin, "POST", path, "Content-Type: application/json\r\n", &body)?;
        ensure!(answer.status == 202, "{}: {}", answer.status, answer.body);
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// The group's course; null while the admin API does not answer.
    pub fn course(&self) -> Value {
        let answer = get(self.admin, "/api/v1/groups/default/rollout");
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
        let answer = get(self.admin, "/api/v1/groups/default/audit");
        let list = answer.ok().and_then(|answer| serde_json::from_str::<Value>(&answer.body).ok());
        list.and_then(|list| list.as_array().cloned()).unwrap_or_default()
    }

    /// The revision of each living replica.
    pub fn revisions(&self) -> Vec<String> {
        self.replicas().into_iter().map(|replica| replica.revision).collect()
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
