//! `flotilla status`: the replicas of a group.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use flotilla_api::Client;
use flotilla_api::placement;
use flotilla_api::replica::ReplicaRecord;
use serde::Serialize;

use crate::client::{self, GroupArgs};
use crate::review::print;

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
    /// Show them again and again, until Ctrl-C
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
    if let Some(pause) = about.paused {
        let why = if pause.why.is_empty() { String::new() } else { format!(": {}", pause.why) };
        print(&format!("paused by {} {} ago{why}\n", pause.actor, client::age(pause.since_ms)));
    }
    print(&format!("{}\n", flotilla_api::health::summary(replicas.iter().map(|measured| &measured.replica))));
    for warning in warnings(client, group, &replicas).await? {
        print(&format!("! {}\n", warning.replace('\n', "\n  ")));
    }
    let rows = replicas.into_iter().map(|Measured { replica, per_second }| {
        [
            replica.id,
            replica.host,
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

/// What of the places of the replicas does not hold, and what one death would do.
async fn warnings(client: &Client, group: &str, replicas: &[Measured]) -> anyhow::Result<Vec<String>> {
    let mut found = match client.placement(group).await {
        Ok(placement) => placement.notes,
        // A gateway of 0.1.0 knows no hosts.
        Err(error) if error.problem().is_some_and(|problem| problem.status == 404) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let rules = client.group(group).await?.rollout;
    let records: Vec<_> = replicas.iter().map(|measured| measured.replica.clone()).collect();
    found.extend(placement::warnings(&records, &client.hosts().await?, rules.min_available.unwrap_or(1)));
    Ok(found)
}

fn measured(replica: ReplicaRecord, before: &[ReplicaRecord]) -> Measured {
    let done = |replica: &ReplicaRecord| replica.completed + replica.failed;
    let old = before.iter().find(|old| old.id == replica.id && old.started_ms == replica.started_ms);
    let ended = old.map_or(0, |old| done(&replica).saturating_sub(done(old)));
    Measured { per_second: (ended as f64 / WINDOW.as_secs_f64()).round(), replica }
}
