//! `flotilla status`: the replicas of a group.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use flotilla_api::Client;
use flotilla_api::replica::ReplicaRecord;
use serde::Serialize;

use crate::client::{self, GroupArgs};
use crate::placement::{Standing, standing};
use crate::plain::print;

/// Over how long messages per second are measured.
const WINDOW: Duration = Duration::from_secs(2);

/// What `flotilla status` takes.
#[derive(Args, Debug)]
pub struct StatusArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// Show the statuses of nodes, and where they differ
    #[arg(long, conflicts_with = "watch")]
    nodes: bool,
    /// Refresh until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// Back to the top left corner, and everything below it cleared (ECMA-48: CUP, ED).
fn clear() {
    use std::io::Write;
    drop(std::io::stdout().write_all(b"\x1b[H\x1b[2J"));
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
    // A name that no group has is no empty group.
    client.group(&args.group.group).await?;
    if args.nodes {
        return nodes(&args, &client).await;
    }
    loop {
        let shown = show(&args, &client).await;
        match shown {
            Ok(()) => {}
            Err(error) if args.watch => {
                clear();
                print(&format!("{error}\n"));
                tokio::time::sleep(WINDOW).await;
            }
            Err(error) => return Err(error),
        }
        if !args.watch {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// The nodes that show a status, or do not work.
async fn nodes(args: &StatusArgs, client: &Client) -> anyhow::Result<ExitCode> {
    let mut found = client.nodes(&args.group.group).await?;
    found.nodes.retain(|node| !node.statuses.is_empty() || !node.problems.is_empty());
    if args.group.admin.json {
        client::json(&found);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = found.nodes.iter().map(|node| {
        [node.id.shown().to_owned(), node.id.kind.clone(), node.id.tab_label.clone(), crate::nodes::status(node)]
    });
    client::table(["NODE", "TYPE", "TAB", "STATUS"], rows);
    crate::nodes::unanswered(&found);
    Ok(ExitCode::SUCCESS)
}

async fn show(args: &StatusArgs, client: &Client) -> anyhow::Result<()> {
    let group = &args.group.group;
    let before = client.replicas(group).await?;
    // Counts come with each renewal of a replica's lease: two looks, far enough apart.
    tokio::time::sleep(WINDOW).await;
    let replicas: Vec<Measured> =
        client.replicas(group).await?.into_iter().map(|replica| measured(replica, &before)).collect();
    if args.group.admin.json {
        client::json(&replicas);
        return Ok(());
    }
    if args.watch {
        clear();
    }
    let about = client.group(group).await?;
    if !about.drift.is_empty() {
        print(&format!("{}\n", about.drift));
    }
    if let Some(pause) = &about.paused {
        let why = if pause.why.is_empty() { String::new() } else { format!(": {}", pause.why) };
        print(&format!("paused by {} {} ago{why}\n", pause.actor, client::age(pause.since_ms)));
    }
    print(&format!("{}\n", flotilla_api::health::summary(replicas.iter().map(|measured| &measured.replica))));
    let records: Vec<_> = replicas.iter().map(|measured| measured.replica.clone()).collect();
    let Standing { warnings, hosts } = standing(client, &about, &records).await?;
    let zones: BTreeMap<String, String> =
        hosts.into_iter().map(|host| (host.facts.name, host.facts.zone)).filter(|(_, zone)| !zone.is_empty()).collect();
    let missing = missing(usize::from(about.replicas), records.len());
    for warning in missing.into_iter().chain(warnings) {
        print(&format!("! {}\n", warning.replace('\n', "\n  ")));
    }
    let rows = replicas.into_iter().map(|Measured { replica, per_second }| {
        [
            replica.id,
            match zones.get(&replica.host) {
                Some(zone) => format!("{} ({zone})", replica.host),
                None => replica.host,
            },
            replica.state.to_string(),
            replica.revision,
            replica.in_flight.to_string(),
            per_second.to_string(),
            replica.failed.to_string(),
            format!("{:.1} MB", replica.memory as f64 / 1e6),
            client::age(replica.started_ms),
            if replica.reason.is_empty() { replica.health.trouble().unwrap_or_default() } else { replica.reason },
        ]
    });
    client::table(
        ["REPLICA", "HOST", "STATE", "REVISION", "IN FLIGHT", "PER S", "FAILED", "MEMORY", "AGE", "REASON"],
        rows,
    );
    Ok(())
}

/// What is said when fewer run than are to. `wanted`: 0 where nobody says how many.
fn missing(wanted: usize, living: usize) -> Option<String> {
    let missing = wanted.checked_sub(living).filter(|missing| *missing > 0)?;
    let are = if missing == 1 { "is" } else { "are" };
    Some(format!(
        "{missing} of {wanted} replicas {are} not running: a replica is starting, has no host, or died. One that died five times within a \
         minute is started again after a minute; `flotilla logs` shows why it died"
    ))
}

fn measured(replica: ReplicaRecord, before: &[ReplicaRecord]) -> Measured {
    let done = |replica: &ReplicaRecord| replica.completed + replica.failed;
    let old = before.iter().find(|old| old.id == replica.id && old.started_ms == replica.started_ms);
    let ended = old.map_or(0, |old| done(&replica).saturating_sub(done(old)));
    Measured { per_second: (ended as f64 / WINDOW.as_secs_f64()).round(), replica }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_does_not_run_is_told() {
        assert_eq!(missing(3, 3), None);
        assert_eq!(missing(0, 2), None, "as many as are started by hand");
        assert_eq!(missing(2, 3), None, "one more drains");
        assert!(missing(3, 2).is_some_and(|text| text.starts_with("1 of 3 replicas is not running: ")));
        assert!(missing(3, 0).is_some_and(|text| text.starts_with("3 of 3 replicas are not running: ")));
    }
}
