//! The subcommands of `flotilla snapshot`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use flotilla_api::ClientError;
use flotilla_api::deploy::Rollback;
use flotilla_api::snapshot::{Export, ExportAs, NewSnapshot};

use super::write::write;
use crate::client::{self, GroupArgs};
use crate::deploy::refused;
use crate::plain::print;
use crate::rollout::{RulesArgs, watch};

/// What `flotilla snapshot` takes.
#[derive(Args, Debug)]
pub struct SnapshotArgs {
    #[command(flatten)]
    group: GroupArgs,
    #[command(subcommand)]
    command: Command,
}

/// In which form a snapshot is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A FlowFuse snapshot, for import there
    Flowfuse,
    /// Only the flow document
    Flows,
    /// A folder that Node-RED runs from
    Userdir,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Give the revision that the group runs a name
    Create {
        /// The name
        name: String,
        /// A description
        #[arg(long, short, default_value = "", value_name = "TEXT")]
        description: String,
        /// Another revision, or its first digits
        #[arg(long, value_name = "REVISION")]
        revision: Option<String>,
    },
    /// List the snapshots, oldest first
    List,
    /// Show a snapshot and its revision; never its credentials
    Show {
        /// Its number, or its name
        snapshot: String,
    },
    /// Roll the group out to a snapshot
    Restore {
        /// Its number, or its name
        snapshot: String,
        #[command(flatten)]
        rules: Box<RulesArgs>,
        /// Show the rollout until it ends; the exit code is its result
        #[arg(long)]
        wait: bool,
    },
    /// Write a snapshot as files
    Export {
        /// Its number, or its name
        snapshot: String,
        /// The format
        #[arg(long = "as", default_value = "flowfuse", value_name = "FORM")]
        form: Form,
        /// The file, or with userdir the folder [default: standard output]
        #[arg(long, short, value_name = "PATH")]
        output: Option<PathBuf>,
        /// Credentials are encrypted with this, as Node-RED's credentialSecret does
        #[arg(long, env = "FLOTILLA_CREDENTIAL_SECRET", value_name = "SECRET", hide_env_values = true)]
        credential_secret: Option<String>,
        /// Include the group's secrets, encrypted, as hidden variables
        #[arg(long)]
        secrets: bool,
        /// Leave the credentials out
        #[arg(long)]
        no_credentials: bool,
    },
    /// Remove a snapshot; its revision stays
    Remove {
        /// Its number, or its name
        snapshot: String,
    },
}

/// Runs the subcommand.
pub async fn run(args: SnapshotArgs) -> anyhow::Result<ExitCode> {
    let client = args.group.client();
    let (group, as_json) = (&args.group.group, args.group.admin.json);
    match args.command {
        Command::Create { name, description, revision } => {
            let new = NewSnapshot { name, description, revision, once: None };
            let snapshot = client.add_snapshot(group, &new).await?;
            if as_json {
                client::json(&snapshot);
            } else {
                print(&format!("snapshot {} of revision {}\n", snapshot.id, snapshot.revision));
            }
        }
        Command::List => {
            let list = client.snapshots(group).await?;
            if as_json {
                client::json(&list);
            } else {
                let rows = list.into_iter().map(|snapshot| {
                    let time = client::time(snapshot.time_ms);
                    let description = snapshot.description.lines().next().unwrap_or_default().to_owned();
                    [snapshot.id.to_string(), snapshot.name, snapshot.revision, time, snapshot.actor, description]
                });
                client::table(["ID", "NAME", "REVISION", "TIME (UTC)", "BY", "DESCRIPTION"], rows);
            }
        }
        Command::Show { snapshot } => {
            let snapshot = client.snapshot(group, &snapshot).await?;
            let content = client.revision(group, &snapshot.revision).await?;
            client::json(&serde_json::json!({"snapshot": snapshot, "content": content}));
        }
        Command::Restore { snapshot, rules, wait } => {
            let rules = rules.rules(&client, group).await?;
            let how = Rollback { rules, ..Rollback::default() };
            let begun = match client.restore_snapshot(group, &snapshot, &how).await {
                Ok(begun) => begun,
                Err(ClientError::Refused(problem)) => return Ok(refused(problem, as_json)),
                Err(error) => return Err(error.into()),
            };
            if wait {
                return watch(&args.group, begun.rollout.number).await;
            }
            if as_json {
                client::json(&begun);
            } else {
                print(&format!("goes to revision {}: see `flotilla rollout status`\n", begun.revision));
            }
        }
        Command::Export { snapshot, form, output, credential_secret, secrets, no_credentials } => {
            let form = match form {
                Form::Flowfuse => ExportAs::Flowfuse,
                Form::Flows => ExportAs::Flows,
                Form::Userdir => ExportAs::Userdir,
            };
            let export = Export { form, credential_secret, secrets, without_credentials: no_credentials };
            let exported = client.export_snapshot(group, &snapshot, &export).await?;
            write(&exported, output.as_deref())?;
        }
        Command::Remove { snapshot } => client.remove_snapshot(group, &snapshot).await?,
    }
    Ok(ExitCode::SUCCESS)
}
