//! The subcommands of `flotilla host`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::placement::{Host, binary_name};

use crate::client::{self, AdminArgs};
use crate::plain::print;

/// What `flotilla host` takes.
#[derive(Args, Debug)]
pub struct HostArgs {
    #[command(flatten)]
    admin: AdminArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the hosts
    #[command(visible_alias = "ls")]
    List,
    /// Show a host with its replicas
    Show {
        /// Its name
        name: String,
    },
    /// Move all replicas off a host, one of each group at a time: the new one is ready before the old one drains
    Drain {
        /// Its name
        name: String,
    },
    /// Let a host have replicas again; those that moved stay where they are
    Undrain {
        /// Its name
        name: String,
    },
    /// Forget a host whose agent has ended
    #[command(visible_alias = "rm")]
    Remove {
        /// Its name
        name: String,
    },
}

/// Runs the subcommand.
pub async fn run(args: HostArgs) -> anyhow::Result<ExitCode> {
    let (client, as_json) = (args.admin.client(), args.admin.json);
    match args.command {
        Command::List => {
            let hosts = client.hosts().await?;
            if as_json {
                client::json(&hosts);
            } else if hosts.is_empty() {
                print("there is no host: start `flotilla agent --host NAME` on a machine\n");
            } else {
                list(hosts);
            }
        }
        Command::Show { name } => client::json(&client.host(&name).await?),
        Command::Drain { name } => {
            let host = client.drain_host(&name, true).await?;
            tell(
                &host,
                as_json,
                &format!("{} replicas are to move off host \"{name}\": see `flotilla host list`\n", host.members.len()),
            );
        }
        Command::Undrain { name } => {
            let host = client.drain_host(&name, false).await?;
            tell(&host, as_json, &format!("host \"{name}\" takes replicas\n"));
        }
        Command::Remove { name } => client.remove_host(&name).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(host: &Host, as_json: bool, text: &str) {
    if as_json {
        client::json(host);
    } else {
        print(text);
    }
}

fn list(hosts: Vec<Host>) {
    let rows = hosts.into_iter().map(|host| {
        let state = match (host.alive, host.drained) {
            (true, false) => "ready".to_owned(),
            (true, true) if host.members.is_empty() => "drained".to_owned(),
            (true, true) => "draining".to_owned(),
            (false, _) => {
                host.lost_since_ms.map_or("gone".to_owned(), |since| format!("lost for {}", client::age(since)))
            }
        };
        let most = host.facts.max_replicas.map_or(String::new(), |most| format!(" of {most}"));
        let labels: Vec<String> = host.facts.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let memory = host.load.as_ref().map_or(String::new(), |load| {
            let gigabytes = |bytes: u64| bytes as f64 / 1e9;
            format!("{:.1} of {:.1} GB free", gigabytes(load.memory_available), gigabytes(load.memory))
        });
        let busy = host.load.as_ref().map_or(String::new(), |load| format!("{:.2} / {}", load.load, load.processors));
        let replicas = format!("{}{most}", host.members.len());
        let version = host.load.as_ref().map_or(String::new(), |load| match load.binary.runs.as_str() {
            "" => load.version.clone(),
            sha256 => format!("{} ({})", load.version, binary_name(sha256)),
        });
        [host.facts.name, state, host.facts.zone, host.facts.rack, replicas, memory, busy, version, labels.join(",")]
    });
    client::table(["HOST", "STATE", "ZONE", "RACK", "REPLICAS", "MEMORY", "LOAD", "VERSION", "LABELS"], rows);
}
