//! `flotilla deploycheck`: whether a group, and each replica of it, can take a flow document.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use flotilla_api::ClientError;
use flotilla_api::deploy::Deploy;
use flotilla_api::placement::Host;
use flotilla_api::replica::{ReplicaRecord, ReplicaState};
use serde::Serialize;

use crate::client::{self, GroupArgs};
use crate::deploy::refused;
use crate::exit::Exit;
use crate::flow_args::FlowArgs;
use crate::flow_files;
use crate::plain::print;

/// What `flotilla deploycheck` takes.
#[derive(Args, Debug)]
pub struct DeployCheckArgs {
    /// The flow document, as exported from Node-RED, or - for standard input
    #[arg(value_name = "FLOWS.json")]
    flows: PathBuf,
    #[command(flatten)]
    flow: FlowArgs,
    #[command(flatten)]
    group: GroupArgs,
    /// Accept nodes of unknown types
    #[arg(long)]
    allow_unknown: bool,
}

/// What was found.
#[derive(Serialize)]
struct Found {
    /// Keys that have no value yet.
    missing: Vec<String>,
    members: Vec<Member>,
}

/// A member and what is in the way there.
#[derive(Serialize)]
struct Member {
    replica: String,
    host: String,
    version: String,
    problems: Vec<String>,
}

/// Checks the document for the group, then each member. Exit code 3 when something is in the way, or there is no member.
pub async fn run(args: DeployCheckArgs) -> anyhow::Result<ExitCode> {
    let (group, as_json) = (&args.group.group, args.group.admin.json);
    let client = args.group.client();
    let files = flow_files::read_given(Some(&args.flows), &args.flow)?;
    let deploy = Deploy {
        flows: files.flows,
        credentials: files.credentials,
        credential_secret: args.flow.credential_secret.clone(),
        env: files.env,
        settings: files.settings,
        allow_unknown: args.allow_unknown,
        ..Deploy::default()
    };
    let dry_run = match client.dry_run(group, &deploy).await {
        Ok(dry_run) => dry_run,
        Err(ClientError::Refused(problem)) => return Ok(refused(problem, as_json)),
        Err(error) => return Err(error.into()),
    };
    let (replicas, hosts) = (client.replicas(group).await?, client.hosts().await?);
    let members = replicas.iter().map(|replica| check(replica, &replicas, &hosts)).collect();
    let found = Found { missing: dry_run.missing, members };
    let fits = fits(&found);
    if as_json {
        client::json(&found);
    } else {
        for key in &found.missing {
            print(&format!("! {key} has no value in group \"{group}\"\n"));
        }
        if found.members.is_empty() {
            print(&format!(
                "! group \"{group}\" has no replicas: start some with `flotilla scale --group {group} --replicas N` where hosts \
                 have agents, else with `flotilla replica --group {group}`\n"
            ));
            return Ok(Exit::Refused.into());
        }
        let rows = found.members.into_iter().map(|member| {
            let verdict = if member.problems.is_empty() { "fits".to_owned() } else { member.problems.join("; ") };
            [member.replica, member.host, member.version, verdict]
        });
        client::table(["REPLICA", "HOST", "VERSION", "CHECK"], rows);
    }
    Ok(if fits { Exit::Done } else { Exit::Refused }.into())
}

/// True when nothing is in the way. A group without replicas runs nothing.
fn fits(found: &Found) -> bool {
    let members = &found.members;
    found.missing.is_empty() && !members.is_empty() && members.iter().all(|member| member.problems.is_empty())
}

fn check(replica: &ReplicaRecord, all: &[ReplicaRecord], hosts: &[Host]) -> Member {
    let problems = problems(replica, all, hosts);
    Member { replica: replica.id.clone(), host: replica.host.clone(), version: replica.version.clone(), problems }
}

/// What is in the way of a rollout at one replica of a group. `all`: the group's replicas.
pub fn problems(replica: &ReplicaRecord, all: &[ReplicaRecord], hosts: &[Host]) -> Vec<String> {
    let mut problems = Vec::new();
    if replica.state != ReplicaState::Ready {
        problems.push(format!("it is {}: {}", replica.state, replica.reason));
    }
    problems.extend(replica.health.trouble());
    if let Some(other) = all.iter().find(|other| other.version != replica.version) {
        problems.push(format!("it is of version {}, {} is of version {}", replica.version, other.id, other.version));
    }
    if let Some(host) = hosts.iter().find(|host| host.facts.name == replica.host) {
        if !host.alive {
            problems.push(format!("host \"{}\" gives no sign of life", replica.host));
        }
        // A new revision is built beside the old one.
        if let Some(load) = host.load.as_ref().filter(|load| load.memory_available < replica.memory) {
            let megabytes = |bytes: u64| bytes / 1_000_000;
            problems.push(format!(
                "host \"{}\" has {} MB of memory left, it uses {} MB",
                replica.host,
                megabytes(load.memory_available),
                megabytes(replica.memory)
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use flotilla_api::placement::{HostFacts, HostLoad};

    use super::*;

    #[test]
    fn a_group_without_replicas_does_not_fit() {
        assert!(!fits(&Found { missing: Vec::new(), members: Vec::new() }));
    }

    #[test]
    fn what_is_in_the_way_is_named_for_each_member() {
        let record = |id: &str, version: &str| -> ReplicaRecord {
            serde_json::from_value(serde_json::json!({
                "id": id, "group": "g", "host": "h", "state": "ready", "reason": "", "revision": "r", "http": null,
                "ops": null, "pid": 1, "version": version, "started_ms": 0, "in_flight": 0, "completed": 0, "failed": 0,
                "abandoned": 0, "memory": 50_000_000, "beat": 1
            }))
            .unwrap()
        };
        let load = |memory_available| HostLoad { memory_available, ..HostLoad::default() };
        let host = |available| Host {
            facts: HostFacts { name: "h".to_owned(), ..HostFacts::default() },
            alive: true,
            drained: false,
            lost_since_ms: None,
            load: Some(load(available)),
            members: Vec::new(),
        };
        let all = [record("a", "1"), record("b", "1")];
        assert!(check(&all[0], &all, &[host(100_000_000)]).problems.is_empty());
        let full = check(&all[0], &all, &[host(10_000_000)]).problems;
        assert!(full.len() == 1 && full[0].contains("10 MB of memory left, it uses 50 MB"), "{full:?}");
        let mixed = [record("a", "1"), record("b", "2")];
        assert!(check(&mixed[0], &mixed, &[]).problems[0].contains("b is of version 2"));
        let starting = ReplicaRecord { state: ReplicaState::Starting, reason: "loads".to_owned(), ..record("a", "1") };
        assert!(check(&starting, &all, &[]).problems[0].contains("it is starting: loads"));
    }
}
