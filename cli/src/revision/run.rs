//! The subcommands of `flotilla revision`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::diff;
use crate::client::{self, GroupArgs};
use crate::review::print;

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
    /// Give a group a revision of another; its credentials are encrypted anew. Roll it out with `flotilla rollback`
    Copy {
        /// Its id, or the first digits
        revision: String,
        /// The group that has it
        #[arg(long, value_name = "NAME")]
        from: String,
        /// The group that gets it
        #[arg(long, value_name = "NAME")]
        to: String,
        /// Key of the group that has it, when it is not the gateway's
        #[arg(long, env = "FLOTILLA_FROM_KEY", value_name = "KEY", hide_env_values = true)]
        from_key: Option<String>,
        /// Key of the group that gets it, when it is not the gateway's
        #[arg(long, env = "FLOTILLA_TO_KEY", value_name = "KEY", hide_env_values = true)]
        to_key: Option<String>,
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
    let as_json = args.group.admin.json;
    match args.command {
        Command::List => {
            let list = client.get(&path).await?;
            if as_json {
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
        Command::Copy { revision, from, to, from_key, to_key } => {
            let body = json!({"revision": revision, "from": from, "from_key": from_key, "key": to_key, "actor": client::actor()});
            let copied = client.post(&format!("/api/v1/groups/{to}/revisions/copy"), &body).await?;
            if as_json {
                client::json(&copied);
            } else {
                let id = copied["revision"].as_str().unwrap_or_default();
                print(&format!(
                    "group \"{to}\" has it as revision {id}: `flotilla rollback {id} --group {to}` rolls it out\n"
                ));
            }
        }
        Command::Diff { from, to } => {
            let old: Value = client.get(&format!("{path}/{from}")).await?;
            let new: Value = client.get(&format!("{path}/{to}")).await?;
            diff::show(&old, &new, as_json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
