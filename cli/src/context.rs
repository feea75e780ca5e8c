//! `flotilla context`: the shared context of a group.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use crate::client::{self, GroupArgs};
use crate::exit::{Exit, Failure};
use crate::plain::print;

/// What `flotilla context` takes. Keys are SCOPE/KEY; the scope is `global`, the id of a tab, or that of a node.
#[derive(Args, Debug)]
pub struct ContextArgs {
    #[command(flatten)]
    group: GroupArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Print the value of a key, in JSON
    Get {
        /// SCOPE/KEY, for example global/count
        key: String,
    },
    /// Set a key to a JSON value; null removes it
    Set {
        /// SCOPE/KEY
        key: String,
        /// JSON, or text with --string
        value: String,
        /// Store the value unchanged, as a string
        #[arg(long)]
        string: bool,
    },
    /// List the keys
    Keys {
        /// Only those with this prefix
        #[arg(default_value = "")]
        prefix: String,
    },
    /// Print everything as one JSON object
    Export,
    /// Set every key of such an object
    Import {
        /// File, or - for standard input
        file: PathBuf,
    },
}

/// Runs the subcommand.
pub async fn run(args: ContextArgs) -> anyhow::Result<ExitCode> {
    let client = args.group.client();
    let group = &args.group.group;
    match args.command {
        Command::Get { key } => {
            let mut all = client.context(group, &key).await?;
            let Some(value) = all.remove(&key) else {
                let advice = "see `flotilla context keys`";
                return Err(Failure::new(Exit::NotFound, format!("there is no context key \"{key}\": {advice}")).into());
            };
            client::json(&value);
        }
        Command::Set { key, value, string } => {
            let value = if string { Value::String(value) } else { json_of(&key, &value)? };
            client.set_context(group, &Map::from_iter([(key, value)])).await?;
        }
        Command::Keys { prefix } => {
            let all = client.context(group, &prefix).await?;
            let keys: Vec<&String> = all.keys().collect();
            if args.group.admin.json {
                client::json(&keys);
            } else {
                print(&keys.into_iter().map(|key| format!("{key}\n")).collect::<String>());
            }
        }
        Command::Export => client::json(&client.context(group, "").await?),
        Command::Import { file } => {
            let text = crate::flow_files::text_or_stdin(&file)?;
            let values: Map<String, Value> = serde_json::from_str(&text).context("not a JSON object of SCOPE/KEY")?;
            client.set_context(group, &values).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The JSON value of a key; text that is none is most often a mistake in quoting.
fn json_of(key: &str, text: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        let advice = format!("to store it as a string: flotilla context set --string {key} '{text}'");
        Failure::new(Exit::Usage, format!("the value of {key} is not JSON ({error}); {advice}")).into()
    })
}
