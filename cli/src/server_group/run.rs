//! The subcommands of `flotilla server-group`.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use flotilla_api::placement::{
    Domain, Joined, Policy, ServerGroupJoin, ServerGroupRules, ServerGroupSpec, ServerGroupStatus,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::{self, AdminArgs};
use crate::exit::{Exit, Failure};
use crate::plain::print;

const POLICIES: [&str; 4] = ["affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"];
const DOMAINS: [&str; 3] = ["host", "rack", "zone"];
/// The one rule there is, in OpenStack's word and in ours.
const RULES: [&str; 2] = ["max_server_per_host", "max_replica_per_host"];

/// What `flotilla server-group` takes.
#[derive(Args, Debug)]
pub struct ServerGroupArgs {
    #[command(flatten)]
    admin: AdminArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make a server group: its policy places the replicas of the groups that are added to it
    Create {
        /// Its name
        name: String,
        /// Where members are placed. affinity: all on one host; anti-affinity: at most one on each; the soft ones: as close to that as
        /// possible
        #[arg(long, value_name = "POLICY", value_parser = PossibleValuesParser::new(POLICIES))]
        policy: String,
        /// max_server_per_host=N: most members on a host, with anti-affinity
        #[arg(long, value_name = "KEY=VALUE")]
        rule: Vec<String>,
        /// What the policy counts: hosts, or their racks or zones (`flotilla agent --rack --zone`)
        #[arg(long, value_name = "DOMAIN", default_value = "host", value_parser = PossibleValuesParser::new(DOMAINS))]
        domain: String,
    },
    /// List the server groups
    #[command(visible_alias = "ls")]
    List,
    /// Show a server group with its members
    Show {
        /// Its name
        name: String,
    },
    /// Delete a server group; its members keep running
    #[command(visible_alias = "rm")]
    Delete {
        /// Its name
        name: String,
    },
    /// Add an existing group to a server group: the policy applies to new members, running ones stay where they are
    Add {
        /// The server group
        name: String,
        /// The group
        #[arg(long, env = "FLOTILLA_GROUP", value_name = "NAME")]
        group: String,
        /// Only show which running members the policy would move
        #[arg(long)]
        plan: bool,
        /// Move running members as the policy requires, one at a time: the new one is ready before the old one drains
        #[arg(long = "move", conflicts_with = "plan")]
        move_members: bool,
    },
}

/// Runs the subcommand.
pub async fn run(args: ServerGroupArgs) -> anyhow::Result<ExitCode> {
    let (client, as_json) = (args.admin.client(), args.admin.json);
    match args.command {
        Command::Create { name, policy, rule, domain } => {
            let (policy, domain): (Policy, Domain) = (word(policy)?, word(domain)?);
            let spec = ServerGroupSpec { name, policy, rules: rules(&rule)?, domain };
            let made = client.add_server_group(&spec).await?;
            if as_json {
                client::json(&made);
            } else {
                print(&format!("server group \"{}\": {}\n", made.name, describe(&made)));
            }
        }
        Command::List => {
            let groups = client.server_groups().await?;
            if as_json {
                client::json(&groups);
            } else if groups.is_empty() {
                print("there is no server group\n");
            } else {
                let rows = groups.into_iter().map(|group| {
                    let state = if group.violated.is_empty() { "holds" } else { "violated" }.to_owned();
                    let policy = describe(&group);
                    [group.name, policy, group.groups.join(", "), group.members.len().to_string(), state]
                });
                client::table(["SERVER GROUP", "POLICY", "GROUPS", "MEMBERS", "STATE"], rows);
            }
        }
        Command::Show { name } => {
            let group = client.server_group(&name).await?;
            if as_json {
                client::json(&group);
            } else {
                show(group);
            }
        }
        Command::Delete { name } => client.remove_server_group(&name).await?,
        Command::Add { name, group, plan, move_members } => {
            let join = ServerGroupJoin { group, plan, move_members };
            let joined = client.join_server_group(&name, &join).await?;
            if as_json {
                client::json(&joined);
            } else {
                print(&told(&name, &join, &joined));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A word that clap has checked, as the API's type.
fn word<T: DeserializeOwned>(word: String) -> anyhow::Result<T> {
    Ok(serde_json::from_value(Value::String(word))?)
}

fn rules(given: &[String]) -> Result<ServerGroupRules, Failure> {
    let mut rules = ServerGroupRules::default();
    for rule in given {
        let (key, value) = rule.split_once('=').unwrap_or((rule, ""));
        let usage = |why: &str| Failure::new(Exit::Usage, format!("--rule {rule}: {why}"));
        if !RULES.contains(&key) {
            return Err(usage("the rule is max_server_per_host=N"));
        }
        let most = value.parse().map_err(|_| usage("N must be a number, 1 or more"))?;
        rules.max_server_per_host = Some(most);
    }
    Ok(rules)
}

fn describe(group: &ServerGroupStatus) -> String {
    match group.rules.max_server_per_host {
        Some(most) => format!("{}, at most {most} in a {}", group.policy, group.domain),
        None => format!("{} by {}", group.policy, group.domain),
    }
}

fn show(group: ServerGroupStatus) {
    print(&format!("{}: {}; groups: {}\n", group.name, describe(&group), group.groups.join(", ")));
    group.violated.iter().for_each(|why| print(&format!("! violated: {why}\n")));
    let rows = group.members.into_iter().map(|member| {
        let state = match (member.leaving, &member.replaces, member.bound) {
            (true, _, _) => "leaves".to_owned(),
            (_, Some(old), _) => format!("takes the place of {old}"),
            (_, _, false) => "not bound: it was there before".to_owned(),
            _ => String::new(),
        };
        [member.member, member.host, state]
    });
    client::table(["MEMBER", "HOST", "STATE"], rows);
}

fn told(name: &str, join: &ServerGroupJoin, joined: &Joined) -> String {
    let mut text = String::new();
    for one in &joined.moves {
        text += &format!("{} {} -> {}\n", one.member, one.from, one.to);
    }
    if !joined.no_room.is_empty() {
        text += &format!("the others cannot be moved: {}\n", joined.no_room);
    }
    let group = &join.group;
    text += &match (join.plan, joined.moves.len()) {
        (true, 0) if joined.no_room.is_empty() => "nothing would move\n".to_owned(),
        (true, count) => {
            format!("{count} would move, one at a time: `flotilla server-group add {name} --group {group} --move`\n")
        }
        (false, _) if !joined.planned => {
            format!("group \"{group}\" is in server group \"{name}\"; {} move\n", joined.moves.len())
        }
        (false, 0) => format!("group \"{group}\" is in server group \"{name}\"\n"),
        (false, count) => format!(
            "group \"{group}\" is in server group \"{name}\"; new members are bound, {count} stay where they are: --move \
             moves them\n"
        ),
    };
    text
}
