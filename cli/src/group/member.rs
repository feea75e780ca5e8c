//! `flotilla group member`: which replica is in which group.

use clap::Subcommand;
use flotilla_api::Client;

use crate::client::{self, AdminArgs};
use crate::exit::{Exit, Failure};
use crate::review::print;

/// What `flotilla group member` does.
#[derive(Subcommand, Debug)]
pub(super) enum Member {
    /// Put a replica into a group; it must be in none: see `remove` and `flotilla replica --spare`
    Add {
        /// The group
        name: String,
        /// The replicas' ids: all of them go in, or none
        #[arg(long, short = 'm', visible_alias = "node", value_name = "ID", required = true, num_args = 1..)]
        replica: Vec<String>,
    },
    /// Take a replica out of its group: it drains, leaves and waits to be put into another
    #[command(visible_alias = "rm")]
    Remove {
        /// The group
        name: String,
        /// The replicas' ids: all of them leave, or none
        #[arg(long, short = 'm', visible_alias = "node", value_name = "ID", required = true, num_args = 1..)]
        replica: Vec<String>,
        /// Accepted for scripts: nothing is asked
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
    let group_of = |id: &String| known.iter().find(|replica| replica.id == *id).map(|replica| replica.group.clone());
    let (mut free, mut away, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new());
    for id in replicas {
        match group_of(id) {
            None => away.push(id.clone()),
            Some(of) if of.is_empty() => free.push(id.clone()),
            Some(of) if of == group => {}
            Some(of) => elsewhere.push(format!("{id} (in \"{of}\")")),
        }
    }
    if !away.is_empty() || !elsewhere.is_empty() {
        let mut text = format!("nothing was added to group \"{group}\"");
        if !elsewhere.is_empty() {
            text += &format!(
                "; the following replicas cannot be added to the group because they are in different groups: {} (`flotilla \
                 group member remove GROUP --replica ID` takes one out)",
                elsewhere.join(", ")
            );
        }
        if !away.is_empty() {
            text += &format!("; not running: {}", away.join(", "));
        }
        if !free.is_empty() {
            text += &format!("; the following could be added: {}", free.join(", "));
        }
        return Err(Failure::new(Exit::Refused, text).into());
    }
    for (index, id) in free.iter().enumerate() {
        if let Err(error) = client.add_member(group, id).await {
            for added in &free[..index] {
                // What cannot be taken back is said, as the first error is.
                if let Err(stuck) = client.remove_member(group, added).await {
                    tracing::error!("{added} was added and could not be taken out again: {stuck}");
                }
            }
            return Err(error.into());
        }
    }
    Ok(())
}

async fn remove(client: &Client, group: &str, replicas: &[String]) -> anyhow::Result<()> {
    let known = client.replicas(group).await?;
    let missing: Vec<&str> =
        replicas.iter().filter(|id| known.iter().all(|replica| replica.id != **id)).map(String::as_str).collect();
    if !missing.is_empty() {
        let text = format!("nobody left: not in group \"{group}\": {}", missing.join(", "));
        return Err(Failure::new(Exit::Refused, text).into());
    }
    for id in replicas {
        client.remove_member(group, id).await?;
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
