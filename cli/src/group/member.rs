//! `flotilla group member`: which replica is in which group.

use clap::Subcommand;
use flotilla_api::{Client, ClientError};

use crate::client::{self, AdminArgs};
use crate::exit::{Exit, Failure};
use crate::plain::print;

/// What `flotilla group member` does.
#[derive(Subcommand, Debug)]
pub(super) enum Member {
    /// Add a replica to a group; it must be in none: see `remove` and `flotilla replica --spare`
    Add {
        /// The group
        name: String,
        /// The replicas' ids: either all are added, or none
        #[arg(long, short = 'm', visible_alias = "node", value_name = "ID", required = true, num_args = 1..)]
        replica: Vec<String>,
    },
    /// Remove a replica from its group: it drains, leaves and waits to be added to another
    #[command(visible_alias = "rm")]
    Remove {
        /// The group
        name: String,
        /// The replicas' ids: either all are removed, or none
        #[arg(long, short = 'm', visible_alias = "node", value_name = "ID", required = true, num_args = 1..)]
        replica: Vec<String>,
        /// Accepted for scripts; there is no confirmation
        #[arg(long, short, hide = true)]
        force: bool,
    },
    /// List the replicas of all groups, and those in none
    #[command(visible_alias = "ls")]
    List {
        /// Only those of this group
        name: Option<String>,
    },
}

/// Runs the subcommand.
pub(super) async fn run(member: Member, admin: &AdminArgs) -> anyhow::Result<()> {
    let client = admin.client();
    match member {
        Member::Add { name, replica } => {
            add(&client, &name, &replica).await?;
            say(admin, &format!("{} into group \"{name}\"\n", go("goes", "go", &replica)));
        }
        Member::Remove { name, replica, force: _ } => {
            remove(&client, &name, &replica).await?;
            say(admin, &format!("{} group \"{name}\"\n", go("drains and leaves", "drain and leave", &replica)));
        }
        Member::List { name } => {
            let mut replicas = client.all_replicas().await?;
            if let Some(name) = name {
                replicas.retain(|replica| replica.group == name);
            }
            if admin.json {
                client::json(&replicas);
                return Ok(());
            }
            let rows = replicas.into_iter().map(|replica| {
                let group = Some(replica.group).filter(|group| !group.is_empty());
                let state = replica.state.to_string();
                [replica.id, group.unwrap_or_else(|| "(none)".to_owned()), state, replica.revision]
            });
            client::table(["REPLICA", "GROUP", "STATE", "REVISION"], rows);
        }
    }
    Ok(())
}

/// Puts replicas into a group: all of them, or none.
///
/// # Errors
/// When one of them is not there or in another group: both lists are named, and nothing changes.
pub(super) async fn add(client: &Client, group: &str, replicas: &[String]) -> anyhow::Result<()> {
    client.group(group).await?;
    let known = client.all_replicas().await?;
    let group_of = |id: &str| known.iter().find(|replica| replica.id == id).map(|replica| replica.group.as_str());
    // What a replica was told counts, and the server knows that. The registry is behind: it shows one that leaves another group
    // there, and for a moment nowhere. Those that it shows free come last, so that none of them begins to move when another one
    // is refused.
    let (free, others): (Vec<&str>, Vec<&str>) =
        replicas.iter().map(String::as_str).partition(|id| group_of(id) == Some(""));
    let (mut elsewhere, mut away, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for id in others.iter().chain(&free) {
        if !(elsewhere.is_empty() && away.is_empty()) && free.contains(id) {
            break;
        }
        match client.add_member(group, id).await {
            Ok(()) => added.push(*id),
            Err(error) if has_code(&error, "is_member") => {}
            Err(error) if has_code(&error, "no_such_replica") => away.push(*id),
            Err(error) if has_code(&error, "member_elsewhere") => {
                // One that was told to go there and has not gone yet is shown in none.
                let group = group_of(id).filter(|of| !of.is_empty()).unwrap_or("?");
                elsewhere.push(format!("{id} is in group \"{group}\""));
            }
            Err(error) => {
                take_back(client, group, &added).await;
                return Err(error.into());
            }
        }
    }
    if away.is_empty() && elsewhere.is_empty() {
        return Ok(());
    }
    take_back(client, group, &added).await;
    let mut text = format!("nothing was added to group \"{group}\"");
    if !elsewhere.is_empty() {
        text += &format!(
            "; the following replicas cannot be added to the group because they are in different groups: {} (`flotilla group \
             member remove GROUP --replica ID` takes one out)",
            elsewhere.join(", ")
        );
    }
    if !away.is_empty() {
        text += &format!("; not running: {}", away.join(", "));
    }
    if !free.is_empty() {
        text += &format!("; the following could be added: {}", free.join(", "));
    }
    Err(Failure::new(Exit::Refused, text).into())
}

/// Takes out again what was put in.
async fn take_back(client: &Client, group: &str, added: &[&str]) {
    for id in added {
        // What cannot be taken back is said, as the first error is.
        if let Err(stuck) = client.remove_member(group, id).await {
            tracing::error!("{id} was added and could not be taken out again: {stuck}");
        }
    }
}

fn has_code(error: &ClientError, code: &str) -> bool {
    error.problem().is_some_and(|problem| problem.code == code)
}

/// Takes replicas out of a group: all of them, or none.
async fn remove(client: &Client, group: &str, replicas: &[String]) -> anyhow::Result<()> {
    let known = client.replicas(group).await?;
    let shown = |id: &str| known.iter().any(|replica| replica.id == id);
    let (there, unsure): (Vec<_>, Vec<_>) = replicas.iter().map(String::as_str).partition(|id| shown(id));
    // One that was just put in is not in the registry yet. Those come first, so that no other one leaves when one is refused.
    let mut removed: Vec<&str> = Vec::new();
    for id in unsure.into_iter().chain(there) {
        match client.remove_member(group, id).await {
            Ok(()) => removed.push(id),
            Err(error) => {
                for id in removed {
                    if let Err(stuck) = client.add_member(group, id).await {
                        tracing::error!("{id} was taken out and could not be put in again: {stuck}");
                    }
                }
                return Err(error.into());
            }
        }
    }
    Ok(())
}

/// A sentence about one or several replicas.
fn go(one: &str, several: &str, replicas: &[String]) -> String {
    match replicas {
        [replica] => format!("replica \"{replica}\" {one}"),
        _ => format!("replicas \"{}\" {several}", replicas.join(",")),
    }
}

fn say(admin: &AdminArgs, text: &str) {
    if !admin.json {
        print(text);
    }
}
