//! `flotilla context`: the shared context of a group.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use crate::client::{self, GroupArgs};
use crate::review::print;

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
        /// JSON; text that is not JSON is taken as a string
        value: String,
    },
    /// List the keys
    Keys {
        /// Only those that begin so
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
    let path = args.group.path("context");
    match args.command {
        Command::Get { key } => {
            let all = client.get(&format!("{path}?prefix={}", escape(&key))).await?;
            let Some(value) = all.get(&key) else { anyhow::bail!("there is no context key \"{key}\"") };
            client::json(value);
        }
        Command::Set { key, value } => {
            let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
            client.put(&path, &Value::Object(Map::from_iter([(key, value)]))).await?;
        }
        Command::Keys { prefix } => {
            let all = client.get(&format!("{path}?prefix={}", escape(&prefix))).await?;
            let keys: Vec<&String> = all.as_object().into_iter().flat_map(Map::keys).collect();
            if args.group.admin.json {
                client::json(&keys.into_iter().cloned().collect::<Value>());
            } else {
                print(&keys.into_iter().map(|key| format!("{key}\n")).collect::<String>());
            }
        }
        Command::Export => client::json(&client.get(&path).await?),
        Command::Import { file } => {
            let text = if file.as_os_str() == "-" {
                std::io::read_to_string(std::io::stdin())?
            } else {
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?
            };
            let values: Map<String, Value> = serde_json::from_str(&text).context("not a JSON object of SCOPE/KEY")?;
            client.put(&path, &Value::Object(values)).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Percent-encodes what may not stand in a query.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
