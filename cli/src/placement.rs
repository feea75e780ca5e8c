//! `flotilla placement`: where replicas would run.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::group::GroupStatus;
use flotilla_api::placement::{self, Host, PlacementCheck, PlacementSpec};
use flotilla_api::replica::ReplicaRecord;
use flotilla_api::{Client, ClientError};

use crate::client::{self, GroupArgs};
use crate::plain::print;

/// What `flotilla placement` takes.
#[derive(Args, Debug)]
pub struct PlacementArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show where the replicas of a group would run, and change nothing; exit code 3 if not all have a place
    Check {
        #[command(flatten)]
        group: GroupArgs,
        /// Total number of replicas of the group [default: its current size]
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        replicas: u16,
        /// As if the group were in this server group: group=NAME
        #[arg(long, value_name = "group=NAME", value_parser = hint)]
        hint: Option<String>,
        /// A label that hosts must have: KEY=VALUE
        #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
        label: Vec<(String, String)>,
    },
}

/// Runs the subcommand.
pub async fn run(args: PlacementArgs) -> anyhow::Result<ExitCode> {
    let Command::Check { group, replicas, hint, label } = args.command;
    let given = hint.is_some() || !label.is_empty();
    let labels: BTreeMap<String, String> = label.into_iter().collect();
    let placement = given.then_some(PlacementSpec { server_group: hint, labels });
    let check = PlacementCheck { group: group.group.clone(), replicas, placement };
    let proposed = group.client().check_placement(&check).await?;
    if group.admin.json {
        client::json(&proposed);
        return Ok(ExitCode::SUCCESS);
    }
    let mut counts = BTreeMap::<&str, usize>::new();
    proposed.hosts.iter().for_each(|host| *counts.entry(host).or_default() += 1);
    let mut text = format!("{} replicas are placed, {} more have a place\n", proposed.placed, proposed.hosts.len());
    for (host, count) in counts {
        text += &format!("  {host}: {count}\n");
    }
    print(&text);
    Ok(ExitCode::SUCCESS)
}

/// How a group stands on its hosts.
#[derive(Default)]
pub struct Standing {
    /// What of the places of the replicas does not hold, and what one death would do.
    pub warnings: Vec<String>,
    /// The hosts that there are.
    pub hosts: Vec<Host>,
}

/// How a group stands on its hosts. `replicas`: those that live.
pub async fn standing(
    client: &Client,
    group: &GroupStatus,
    replicas: &[ReplicaRecord],
) -> Result<Standing, ClientError> {
    let mut warnings = match client.placement(&group.name).await {
        Ok(placement) => placement.notes,
        // A gateway of 0.1.0 knows no hosts.
        Err(error) if error.problem().is_some_and(|problem| problem.status == 404) => return Ok(Standing::default()),
        Err(error) => return Err(error),
    };
    let hosts = client.hosts().await?;
    warnings.extend(placement::warnings(replicas, &hosts, &group.rollout));
    Ok(Standing { warnings, hosts })
}

/// Reads OpenStack's scheduler hint, `group=NAME`.
pub fn hint(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some(("group", name)) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err("the hint is group=NAME, with the name of a server group".to_owned()),
    }
}

/// Reads a label, `KEY=VALUE`.
pub fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a label is KEY=VALUE".to_owned()),
    }
}
