//! `flotilla group member`: which replica is in which group.

use clap::Subcommand;
use serde_json::Value;

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
    let path = |group: &str, replica: &str| {
        format!("/api/v1/groups/{group}/members/{replica}?actor={}", query_value(&client::actor()))
    };
    match member {
        Member::Add { name, replica } => {
            client.put(&path(&name, &replica), &Value::Null).await?;
            say(admin, &format!("replica \"{replica}\" goes into group \"{name}\"\n"));
        }
        Member::Remove { name, replica } => {
            client.delete(&path(&name, &replica)).await?;
            say(admin, &format!("replica \"{replica}\" drains and leaves group \"{name}\"\n"));
        }
        Member::List { name } => {
            let mut replicas = client.get("/api/v1/replicas").await?;
            if let (Some(name), Some(list)) = (name, replicas.as_array_mut()) {
                list.retain(|replica| replica["group"] == name.as_str());
            }
            if admin.json {
                client::json(&replicas);
                return Ok(());
            }
            let text = |replica: &Value, field: &str| replica[field].as_str().unwrap_or_default().to_owned();
            let rows = replicas.as_array().into_iter().flatten().map(|replica| {
                let group = Some(text(replica, "group")).filter(|group| !group.is_empty());
                [
                    text(replica, "id"),
                    group.unwrap_or_else(|| "(none)".to_owned()),
                    text(replica, "state"),
                    text(replica, "revision"),
                ]
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

/// A user's name as part of a URL.
fn query_value(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
