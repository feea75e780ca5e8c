//! `flotilla status`: the replicas of a group.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::client::{self, GroupArgs};

/// Over how long messages per second are measured.
const WINDOW: Duration = Duration::from_secs(2);

/// What `flotilla status` takes.
#[derive(Args, Debug)]
pub struct StatusArgs {
    #[command(flatten)]
    group: GroupArgs,
}

/// Prints the replicas.
pub async fn run(args: StatusArgs) -> anyhow::Result<ExitCode> {
    let client = args.group.client();
    let path = args.group.path("replicas");
    let before = client.get(&path).await?;
    // Counts come with each renewal of a replica's lease: two looks, far enough apart.
    tokio::time::sleep(WINDOW).await;
    let mut replicas = client.get(&path).await?;
    for replica in replicas.as_array_mut().into_iter().flatten() {
        let old = before.as_array().into_iter().flatten().find(|old| old["id"] == replica["id"]);
        let done = |value: &Value| value["completed"].as_f64().unwrap_or(0.0) + value["failed"].as_f64().unwrap_or(0.0);
        let rate = old.map_or(0.0, |old| (done(replica) - done(old)).max(0.0) / WINDOW.as_secs_f64());
        replica["per_second"] = Value::from(rate.round());
    }
    if args.group.admin.json {
        client::json(&replicas);
        return Ok(ExitCode::SUCCESS);
    }
    let text = |replica: &Value, field: &str| replica[field].as_str().unwrap_or_default().to_owned();
    let number = |replica: &Value, field: &str| replica[field].as_f64().unwrap_or(0.0).to_string();
    let rows = replicas.as_array().into_iter().flatten().map(|replica| {
        [
            text(replica, "id"),
            text(replica, "state"),
            text(replica, "revision"),
            number(replica, "in_flight"),
            number(replica, "per_second"),
            number(replica, "failed"),
            format!("{:.1} MB", replica["memory"].as_f64().unwrap_or(0.0) / 1e6),
            client::age(&replica["started_ms"]),
            text(replica, "reason"),
        ]
    });
    client::table(["REPLICA", "STATE", "REVISION", "IN FLIGHT", "PER S", "FAILED", "MEMORY", "AGE", "REASON"], rows);
    Ok(ExitCode::SUCCESS)
}
