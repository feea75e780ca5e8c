//! The subcommands of `flotilla group`.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::Client;
use flotilla_api::access::NewJoinToken;
use flotilla_api::client::Versioned;
use flotilla_api::group::{GroupSpec, GroupStatus};
use flotilla_api::replica::ReplicaRecord;
use flotilla_flows::NodeSettings;
use serde::Serialize;

use super::member::Member;
use super::template::Template;
use crate::client::{self, AdminArgs};
use crate::exit::{Exit, Failure};
use crate::flow_files::{parsed, text_or_stdin};
use crate::left_sessions;
use crate::plain::print;

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
    /// Add a group, or replace its settings; `members` in the file are added to it
    Add {
        /// Its name, if the file has none
        name: Option<String>,
        /// File with the group in JSON, or - for standard input
        #[arg(short, long, visible_alias = "json-file")]
        file: PathBuf,
        /// Add it to a server group: group=NAME
        #[arg(long, value_name = "group=NAME", value_parser = crate::placement::hint)]
        hint: Option<String>,
    },
    /// Change a group: opens it in $EDITOR, or takes a file
    Edit {
        /// Its name
        name: String,
        /// File with the group in JSON, or - for standard input
        #[arg(short, long)]
        file: Option<PathBuf>,
    },
    /// List the groups
    #[command(visible_alias = "ls")]
    List {
        /// Only this one
        name: Option<String>,
        /// Everything about them, with their replicas, in JSON by name
        #[arg(long, short)]
        long: bool,
    },
    /// Show a group with its replicas
    Show {
        /// Its name
        name: String,
    },
    /// Set the group's settings of one node, and roll the change out; without settings, show them
    #[command(after_help = NodeSettings::SHAPES)]
    Set {
        /// The node's id
        node: String,
        /// KEY=VALUE; KEY= removes it
        #[arg(value_name = "SETTING")]
        settings: Vec<String>,
        /// Name of the group
        #[arg(long, env = "FLOTILLA_GROUP", default_value = "default", value_name = "NAME")]
        group: String,
    },
    /// Add replicas to a group, remove them, list them
    #[command(subcommand, visible_alias = "mb")]
    Member(Member),
    /// Maintenance mode: sources stop, brokers keep messages, HTTP requests are answered 503; what is in flight is finished
    Pause {
        /// Its name
        #[arg(default_value = "default")]
        name: String,
        /// Reason, for status and the audit log
        #[arg(long, default_value = "", value_name = "TEXT")]
        why: String,
        /// Wait until nothing is in flight; exit code 8 if that takes longer than --timeout
        #[arg(long)]
        drain: bool,
        /// Seconds to wait for that
        #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
        timeout: f64,
    },
    /// Resume a paused group
    Resume {
        /// Its name
        #[arg(default_value = "default")]
        name: String,
    },
    /// Make a join token, with which `flotilla replica --join TOKEN` joins the group and gets its key
    JoinToken {
        /// The group
        name: String,
        /// Owner of the replicas, as an admin [default: yourself]
        #[arg(long, value_name = "USER")]
        owner: Option<String>,
        /// How long it is valid
        #[arg(long, default_value = "1h", value_name = "TIME", value_parser = crate::token::seconds)]
        expires: u64,
    },
    /// Remove a group without replicas, and end the MQTT sessions that they left at brokers (exit code 5 when a broker is not
    /// reached: ask again)
    #[command(visible_alias = "rm")]
    Remove {
        /// Its name
        name: String,
        /// Do not ask for confirmation
        #[arg(long, short)]
        force: bool,
    },
}

/// Runs the subcommand.
pub async fn run(args: GroupCommandArgs) -> anyhow::Result<ExitCode> {
    let client = args.admin.client();
    match args.command {
        Command::New { name } => client::json(&Template::new(&name)?),
        Command::Add { name, file, hint } => {
            let added = super::template::put(&client, name.as_deref(), &file, hint).await?;
            if args.admin.json {
                client::json(&added);
            }
        }
        Command::Edit { name, file } => {
            let edited = match file {
                Some(file) => {
                    let tag = client.group_version(&name).await?.tag;
                    let spec: GroupSpec = parsed(&text_or_stdin(&file)?, "not a group: nothing changed")?;
                    keeps_name(&spec, &name)?;
                    super::template::replace(&client, &spec, tag.as_deref()).await?
                }
                None => edit(&client, &name).await?,
            };
            if args.admin.json {
                client::json(&edited);
            }
        }
        Command::List { name, long } => {
            let mut groups = client.groups().await?;
            if let Some(name) = name {
                groups.retain(|group| group.name == name);
            }
            if !long {
                show(groups, args.admin.json);
                return Ok(ExitCode::SUCCESS);
            }
            let mut all = BTreeMap::new();
            for group in groups {
                let members = client.replicas(&group.name).await?;
                all.insert(group.name.clone(), Shown { group, members });
            }
            client::json(&all);
        }
        Command::Show { name } => {
            let group = client.group(&name).await?;
            client::json(&Shown { members: client.replicas(&name).await?, group });
        }
        Command::Member(member) => super::member::run(member, &args.admin).await?,
        Command::Set { node, settings, group } => {
            return super::set::run(&client, &group, node, &settings, args.admin.json).await;
        }
        Command::Pause { name, why, drain, timeout } => {
            return super::pause::pause(&client, &name, why, drain.then_some(timeout), args.admin.json).await;
        }
        Command::Resume { name } => return super::pause::resume(&client, &name, args.admin.json).await,
        Command::JoinToken { name, owner, expires } => {
            let new = NewJoinToken { owner, expires_s: Some(expires) };
            let made = client.make_join_token(&name, &new).await?;
            if args.admin.json {
                client::json(&made);
            } else {
                print(&format!("{}\n", made.secret));
                eprintln!("start replicas with FLOTILLA_JOIN; they are {}'s", made.token.owner);
            }
        }
        Command::Remove { name, force } => {
            if !force && !sure(&name) {
                return Err(Failure::new(Exit::Refused, "nothing was removed").into());
            }
            let removed = client.remove_group(&name).await?;
            if args.admin.json {
                client::json(&removed);
            }
            return left_sessions::tell(&removed.sessions, args.admin.json, &again(&name));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens a group in the editor. The change is one of what was shown there: what somebody else changed meanwhile stays.
async fn edit(client: &Client, name: &str) -> anyhow::Result<GroupStatus> {
    let Versioned { value, tag } = client.group_version(name).await?;
    let text = super::edit::in_editor(&serde_json::to_string_pretty(&spec_of(value))?, "--file")?;
    let changed = async {
        let spec: GroupSpec = parsed(&text, "not a group")?;
        keeps_name(&spec, name)?;
        anyhow::Ok(client.edit_group_of(&spec, tag.as_deref()).await?)
    };
    changed.await.map_err(|error| {
        let (thing, show) = (format!("group \"{name}\""), format!("flotilla group show {name}"));
        super::edit::not_made(&text, error, &thing, &show, &format!("flotilla group edit {name} --file"))
    })
}

/// A group keeps its name: under another name it would be written over another group.
fn keeps_name(spec: &GroupSpec, name: &str) -> Result<(), Failure> {
    if spec.name == name {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("name is \"{}\": a group keeps its name, write \"{name}\"", spec.name)))
}

/// How to end what could not be ended.
fn again(name: &str) -> String {
    format!("flotilla group remove {name}")
}

/// Asks at a terminal; elsewhere the command is the answer.
fn sure(name: &str) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return true;
    }
    eprint!("Are you sure you want to remove group \"{name}\"? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// What users say of a group.
fn spec_of(group: GroupStatus) -> GroupSpec {
    let GroupStatus { name, description, replicas, rollout, protected, protected_by, placement, alerts, .. } = group;
    GroupSpec { name, description, replicas, rollout, protected, protected_by, placement, alerts }
}

/// What `flotilla group show` prints.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    group: GroupStatus,
    members: Vec<ReplicaRecord>,
}

fn show(groups: Vec<GroupStatus>, as_json: bool) {
    if as_json {
        return client::json(&groups);
    }
    if groups.is_empty() {
        return print("there is no group\n");
    }
    let rows = groups.into_iter().map(|group| {
        let ready = format!("{}/{}", group.ready, group.living);
        [group.name, ready, group.revision.unwrap_or_default(), group.description]
    });
    client::table(["GROUP", "READY", "REVISION", "DESCRIPTION"], rows);
}
