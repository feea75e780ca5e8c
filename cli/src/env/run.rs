//! The subcommands of `flotilla env`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::ClientError;
use flotilla_api::deploy::Deploy;
use flotilla_api::env::SecretChange;

use crate::client::{self, GroupArgs};
use crate::deploy::{refused, split};
use crate::exit::{Exit, Failure};
use crate::plain::print;
use crate::rollout::watch;

/// What `flotilla env` takes.
#[derive(Args, Debug)]
pub struct EnvArgs {
    #[command(flatten)]
    group: GroupArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the variables; the values of secrets are not shown
    List,
    /// Set variables and roll the change out; nodes that name one restart
    Set {
        /// NAME=VALUE; NAME alone reads the value from standard input
        #[arg(required = true, value_name = "NAME[=VALUE]")]
        vars: Vec<String>,
        /// They are secrets of the group: encrypted with its key, never shown, not part of revisions
        #[arg(long)]
        secret: bool,
        /// Show the rollout until it ends; the exit code is its result
        #[arg(long)]
        wait: bool,
    },
    /// Remove variables and roll the change out
    Unset {
        /// NAME
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// They are secrets
        #[arg(long)]
        secret: bool,
        /// Show the rollout until it ends; the exit code is its result
        #[arg(long)]
        wait: bool,
    },
}

/// Runs the subcommand.
pub async fn run(args: EnvArgs) -> anyhow::Result<ExitCode> {
    let group = &args.group;
    match args.command {
        Command::List => {
            let vars = group.client().env(&group.group).await?;
            if group.admin.json {
                client::json(&vars);
            } else {
                let rows = vars.into_iter().map(|var| {
                    let value = var.value.unwrap_or_else(|| "***".to_owned());
                    [var.name, value, if var.secret { "secret".to_owned() } else { String::new() }]
                });
                client::table(["NAME", "VALUE", ""], rows);
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Set { vars, secret, wait } => {
            let set = vars.iter().map(|var| value(var)).collect::<Result<_, _>>()?;
            let change = SecretChange { set, ..SecretChange::default() };
            apply(group, change, secret, wait).await
        }
        Command::Unset { names, secret, wait } => {
            let change = SecretChange { unset: names, ..SecretChange::default() };
            apply(group, change, secret, wait).await
        }
    }
}

fn value(var: &str) -> anyhow::Result<(String, String)> {
    if var.contains('=') {
        return Ok(split("env set", var)?);
    }
    let text = std::io::read_to_string(std::io::stdin())?;
    if text.is_empty() {
        let message = format!("there is no value for {var}: write {var}=VALUE, or give it on standard input");
        return Err(Failure::new(Exit::Usage, message).into());
    }
    Ok((var.to_owned(), text.trim_end_matches(['\r', '\n']).to_owned()))
}

async fn apply(group: &GroupArgs, change: SecretChange, secret: bool, wait: bool) -> anyhow::Result<ExitCode> {
    let client = group.client();
    let begun = if secret {
        client.change_secrets(&group.group, &change).await.map(|changed| changed.rollout)
    } else {
        let deploy = Deploy {
            message: format!("env {}", change.set.keys().chain(&change.unset).cloned().collect::<Vec<_>>().join(", ")),
            set_env: change.set,
            unset_env: change.unset,
            ..Deploy::default()
        };
        client.deploy(&group.group, &deploy).await.map(|begun| Some(begun.rollout.number))
    };
    match begun {
        Ok(Some(number)) if wait => watch(group, number).await,
        Ok(Some(_)) => {
            print("the rollout has begun: see `flotilla rollout status`\n");
            Ok(ExitCode::SUCCESS)
        }
        Ok(None) => {
            print("kept; the group has no revision yet\n");
            Ok(ExitCode::SUCCESS)
        }
        Err(ClientError::Refused(problem)) => Ok(refused(problem, group.admin.json)),
        Err(error) => Err(error.into()),
    }
}
