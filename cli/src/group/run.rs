//! The subcommands of `flotilla group`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use flotilla_group::spec::GroupSpec;
use serde_json::Value;

use super::member::Member;
use crate::client::{self, AdminArgs};
use crate::review::print;

/// What `flotilla group` takes.
#[derive(Args, Debug)]
pub struct GroupCommandArgs {
    #[command(flatten)]
    admin: AdminArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Print a template of a group, in JSON
    New {
        /// Its name
        #[arg(default_value = "my-group")]
        name: String,
    },
    /// Add a group
    Add {
        /// File with the group in JSON, or - for standard input
        #[arg(short, long)]
        file: PathBuf,
    },
    /// List the groups
    List {
        /// Only this one
        name: Option<String>,
    },
    /// Show a group with its replicas
    Show {
        /// Its name
        name: String,
    },
    /// Put replicas into a group, take them out, list them
    #[command(subcommand)]
    Member(Member),
    /// Remove a group without replicas
    Remove {
        /// Its name
        name: String,
    },
}

/// Runs the subcommand.
pub async fn run(args: GroupCommandArgs) -> anyhow::Result<ExitCode> {
    let client = args.admin.client();
    match args.command {
        Command::New { name } => client::json(&serde_json::to_value(GroupSpec::named(&name))?),
        Command::Add { file } => {
            let text = if file.as_os_str() == "-" {
                std::io::read_to_string(std::io::stdin())?
            } else {
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?
            };
            let spec: Value = serde_json::from_str(&text).context("not JSON: see `flotilla group new`")?;
            let added = client.post("/api/v1/groups", &spec).await?;
            if args.admin.json {
                client::json(&added);
            }
        }
        Command::List { name } => {
            let mut groups = client.get("/api/v1/groups").await?;
            if let (Some(name), Some(list)) = (name, groups.as_array_mut()) {
                list.retain(|group| group["name"] == name.as_str());
            }
            show(&groups, args.admin.json);
        }
        Command::Show { name } => {
            let mut group = client.get(&format!("/api/v1/groups/{name}")).await?;
            group["members"] = client.get(&format!("/api/v1/groups/{name}/replicas")).await?;
            client::json(&group);
        }
        Command::Member(member) => super::member::run(member, &args.admin).await?,
        Command::Remove { name } => {
            client.delete(&format!("/api/v1/groups/{name}")).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(groups: &Value, as_json: bool) {
    if as_json {
        return client::json(groups);
    }
    let text = |group: &Value, field: &str| group[field].as_str().unwrap_or_default().to_owned();
    let list = groups.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        return print("there is no group\n");
    }
    let rows = list.iter().map(|group| {
        let ready = format!("{}/{}", group["ready"], group["living"]);
        [text(group, "name"), ready, text(group, "revision"), text(group, "description")]
    });
    client::table(["GROUP", "READY", "REVISION", "DESCRIPTION"], rows);
}
