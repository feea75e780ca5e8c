//! `flotilla group member`: which replica is in which group.

use clap::Subcommand;

use crate::client::{self, AdminArgs};
use crate::review::print;

/// What `flotilla group member` does.
#[derive(Subcommand, Debug)]
pub(super) enum Member {
    /// Put a replica into a group; it must be in none: see `remove` and `flotilla replica --spare`
    Add {
        /// The group
        name: String,
        /// The replica's id
        #[arg(long, value_name = "ID")]
        replica: String,
    },
    /// Take a replica out of its group: it drains, leaves and waits to be put into another
    Remove {
        /// The group
        name: String,
        /// The replica's id
        #[arg(long, value_name = "ID")]
        replica: String,
    },
    /// List the replicas of all groups, and those in none
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
            client.add_member(&name, &replica).await?;
            say(admin, &format!("replica \"{replica}\" goes into group \"{name}\"\n"));
        }
        Member::Remove { name, replica } => {
            client.remove_member(&name, &replica).await?;
            say(admin, &format!("replica \"{replica}\" drains and leaves group \"{name}\"\n"));
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

fn say(admin: &AdminArgs, text: &str) {
    if !admin.json {
        print(text);
    }
}
