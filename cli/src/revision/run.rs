//! The subcommands of `flotilla revision`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::revision::Copy;

use super::diff;
use crate::client::{self, GroupArgs};
use crate::plain::print;

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
        /// Its id, or its first digits
        revision: String,
    },
    /// Give a group the flows and settings of another group's revision, without env values and credentials. Roll it
    /// out with `flotilla rollback`
    Copy {
        /// Its id, or its first digits
        revision: String,
        /// The source group
        #[arg(long, value_name = "NAME")]
        from: String,
        /// The target group
        #[arg(long, value_name = "NAME")]
        to: String,
        /// Key of the source group, if it is not the gateway's
        #[arg(long, env = "FLOTILLA_FROM_KEY", value_name = "KEY", hide_env_values = true)]
        from_key: Option<String>,
        /// Key of the target group, if it is not the gateway's
        #[arg(long, env = "FLOTILLA_TO_KEY", value_name = "KEY", hide_env_values = true)]
        to_key: Option<String>,
    },
    /// Show what differs between two revisions, by tab and node
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
    let group = &args.group.group;
    let as_json = args.group.admin.json;
    match args.command {
        Command::List => {
            let list = client.revisions(group).await?;
            if as_json {
                client::json(&list);
                return Ok(ExitCode::SUCCESS);
            }
            let runs = client.rollout(group).await.map(|status| status.revision).unwrap_or_default();
            let rows = list.into_iter().map(|given| {
                let mark = if given.id == runs { "*" } else { "" };
                let (time, nodes) = (client::time(given.time_ms), given.nodes.to_string());
                [mark.to_owned(), given.id, time, given.actor, nodes, given.message]
            });
            client::table(["", "REVISION", "TIME (UTC)", "BY", "ENTRIES", "MESSAGE"], rows);
        }
        Command::Show { revision } => client::json(&client.revision(group, &revision).await?),
        Command::Copy { revision, from, to, from_key, to_key } => {
            let copy = Copy { from, revision, from_key, key: to_key, ..Copy::default() };
            let copied = client.copy_revision(&to, &copy).await?;
            if as_json {
                client::json(&copied);
            } else {
                let id = copied.revision;
                print(&format!(
                    "group \"{to}\" has it as revision {id}: `flotilla rollback {id} --group {to}` rolls it out\n"
                ));
                if !copied.missing.is_empty() {
                    print(&format!("these have no value in \"{to}\" yet: {}\n", copied.missing.join(", ")));
                }
            }
        }
        Command::Diff { from, to } => {
            let found = client.diff_revisions(group, &from, &to).await?;
            if as_json {
                client::json(&found);
                return Ok(ExitCode::SUCCESS);
            }
            let (old, new) = (client.revision(group, &from).await?, client.revision(group, &to).await?);
            print(&diff::text(&found, &old, &new));
        }
    }
    Ok(ExitCode::SUCCESS)
}
