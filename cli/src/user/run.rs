//! The subcommands of `flotilla user`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::access::{Grant, NewPassword, NewUser, User};

use crate::client::{self, AdminArgs};
use crate::password;
use crate::plain::print;

const ROLES: &str = "\
Roles:
  admin             everything, in all groups
  owner:GROUP       everything to this group
  deployer:GROUP    deploys to this group, unless it is protected
  viewer[:GROUP]    looks at this group, or at all
  endpoint[:GROUP]  calls the HTTP endpoints of this group's flows, or of all; nothing else
Whoever has the store's own credentials is above all roles.";

/// What `flotilla user` takes.
#[derive(Args, Debug)]
pub struct UserArgs {
    #[command(flatten)]
    admin: AdminArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Add a user; the password is asked for, or read from standard input
    #[command(after_help = ROLES)]
    Add {
        /// The name
        name: String,
        /// A role of the user; may be repeated
        #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
        roles: Vec<Grant>,
        /// Without a password: for machines, which use a token (`flotilla token new --user`)
        #[arg(long)]
        no_password: bool,
    },
    /// Set a password: your own (with the old one), or as an admin that of any user
    Passwd {
        /// The user [default: the one that is logged in]
        name: Option<String>,
    },
    /// List the users
    List,
    /// Set the roles of a user, or show them
    #[command(after_help = ROLES)]
    Role {
        /// The user
        name: String,
        /// The user's roles; none: show them
        roles: Vec<Grant>,
        /// Add to the other roles
        #[arg(long)]
        add: bool,
        /// Remove these and keep the others
        #[arg(long, conflicts_with = "add")]
        remove: bool,
    },
    /// Remove a user and all its tokens
    Remove {
        /// The user
        name: String,
    },
}

/// Runs the subcommand.
pub async fn run(args: UserArgs) -> anyhow::Result<ExitCode> {
    let (client, json) = (args.admin.client(), args.admin.json);
    match args.command {
        Command::Add { name, roles, no_password } => {
            let password = match no_password {
                true => None,
                false => Some(password::new(&format!("Password of {name}: "))?),
            };
            let user = client.add_user(&NewUser { name, roles, password }).await?;
            say(&user, json, "is added");
        }
        Command::Passwd { name } => {
            let own = client.whoami().await?;
            let name = name.unwrap_or_else(|| own.name.clone());
            let old = match own.roles.contains(&Grant::ADMIN) {
                true => None,
                false => Some(password::known("Password until now: ")?),
            };
            let password = password::new(&format!("New password of {name}: "))?;
            client.set_password(&name, &NewPassword { password, old }).await?;
            if !json {
                print(&format!("{name} has a new password; logins with the old one no longer work\n"));
            }
        }
        Command::List => {
            let users = client.users().await?;
            if json {
                client::json(&users);
            } else if users.is_empty() {
                print("there is no user; only the gateway's token gives access\n");
            } else {
                let rows = users.into_iter().map(|user| {
                    let password = if user.has_password { "yes" } else { "no" };
                    let (roles, since) = (roles(&user), client::time(user.created_ms));
                    [user.name, roles, password.to_owned(), since]
                });
                client::table(["USER", "ROLES", "PASSWORD", "SINCE (UTC)"], rows);
            }
        }
        Command::Role { name, roles, add, remove } => {
            if roles.is_empty() && !remove {
                say(&client.user(&name).await?, json, "is");
                return Ok(ExitCode::SUCCESS);
            }
            let (mut all, tag) = match add || remove {
                true => client.user_version(&name).await.map(|user| (user.value.roles, user.tag))?,
                false => (Vec::new(), None),
            };
            if remove {
                all.retain(|role| !roles.contains(role));
            } else {
                all.extend(roles);
            }
            let now = client.set_roles(&name, &all, tag.as_deref()).await.map_err(|error| {
                client::not_written(error, &format!("user \"{name}\""), &format!("flotilla user role {name}"))
            })?;
            say(&now, json, "is now");
        }
        Command::Remove { name } => {
            client.remove_user(&name).await?;
            if !json {
                print(&format!("{name} is removed, and so are the tokens\n"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn roles(user: &User) -> String {
    user.roles.iter().map(Grant::to_string).collect::<Vec<_>>().join(", ")
}

fn say(user: &User, json: bool, what: &str) {
    if json {
        return client::json(user);
    }
    let roles = match user.roles.is_empty() {
        true => "no role".to_owned(),
        false => roles(user),
    };
    print(&format!("{} {what}: {roles}\n", user.name));
}
