//! `flotilla status`: the replicas of a group.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use flotilla_api::replica::ReplicaRecord;
use serde::Serialize;

use crate::client::{self, GroupArgs};

/// Over how long messages per second are measured.
const WINDOW: Duration = Duration::from_secs(2);

/// What `flotilla status` takes.
#[derive(Args, Debug)]
pub struct StatusArgs {
    #[command(flatten)]
    group: GroupArgs,
}

/// A replica with what two looks at it tell.
#[derive(Serialize)]
struct Measured {
    #[serde(flatten)]
    replica: ReplicaRecord,
    /// Deliveries that ended per second.
    per_second: f64,
}

/// Prints the replicas.
pub async fn run(args: StatusArgs) -> anyhow::Result<ExitCode> {
    let client = args.group.client();
    let group = &args.group.group;
    client.group(group).await?;
    let before = client.replicas(group).await?;
    // Counts come with each renewal of a replica's lease: two looks, far enough apart.
    tokio::time::sleep(WINDOW).await;
    let replicas: Vec<Measured> =
        client.replicas(group).await?.into_iter().map(|replica| measured(replica, &before)).collect();
    if args.group.admin.json {
        client::json(&replicas);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = replicas.into_iter().map(|Measured { replica, per_second }| {
        [
            replica.id,
            replica.state.to_string(),
            replica.revision,
            replica.in_flight.to_string(),
            per_second.to_string(),
            replica.failed.to_string(),
            format!("{:.1} MB", replica.memory as f64 / 1e6),
            client::age(replica.started_ms),
            replica.reason,
        ]
    });
    client::table(["REPLICA", "STATE", "REVISION", "IN FLIGHT", "PER S", "FAILED", "MEMORY", "AGE", "REASON"], rows);
    Ok(ExitCode::SUCCESS)
}

fn measured(replica: ReplicaRecord, before: &[ReplicaRecord]) -> Measured {
    let done = |replica: &ReplicaRecord| replica.completed + replica.failed;
    let old = before.iter().find(|old| old.id == replica.id && old.started_ms == replica.started_ms);
    let ended = old.map_or(0, |old| done(&replica).saturating_sub(done(old)));
    Measured { per_second: (ended as f64 / WINDOW.as_secs_f64()).round(), replica }
}
