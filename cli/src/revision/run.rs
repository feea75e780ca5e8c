//! The subcommands of `flotilla revision`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::diff;
use crate::client::{self, GroupArgs};

/// What `flotilla revision` takes.
#[derive(Args, Debug)]
pub struct RevisionArgs {
    #[command(flatten)]
    group: GroupArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the revisions, oldest first
    List,
    /// Print a revision: flows, env, settings; never its credentials
    Show {
        /// Its id, or the first digits
        revision: String,
    },
    /// What differs between two revisions, by tab and node
    Diff {
        /// The older
        from: String,
        /// The newer
        to: String,
    },
}

/// Runs the subcommand.
pub async fn run(args: RevisionArgs) -> anyhow::Result<ExitCode> {
    let client = args.group.client();
    let path = args.group.path("revisions");
    let json = args.group.admin.json;
    match args.command {
        Command::List => {
            let list = client.get(&path).await?;
            if json {
                client::json(&list);
                return Ok(ExitCode::SUCCESS);
            }
            let course = client.get(&args.group.path("rollout")).await.unwrap_or_default();
            let rows = list.as_array().into_iter().flatten().map(|given| {
                let text = |field: &str| given[field].as_str().unwrap_or_default().to_owned();
                let runs = if given["id"] == course["revision"] { "*" } else { "" };
                [
                    runs.to_owned(),
                    text("id"),
                    client::time(&given["time_ms"]),
                    text("actor"),
                    given["nodes"].to_string(),
                    text("message"),
                ]
            });
            client::table(["", "REVISION", "TIME (UTC)", "BY", "ENTRIES", "MESSAGE"], rows);
        }
        Command::Show { revision } => client::json(&client.get(&format!("{path}/{revision}")).await?),
        Command::Diff { from, to } => {
            let old: Value = client.get(&format!("{path}/{from}")).await?;
            let new: Value = client.get(&format!("{path}/{to}")).await?;
            diff::show(&old, &new, json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
