//! The subcommands of `flotilla token`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::access::{Access, NewToken, Token};
use jiff::{Span, SpanRelativeTo, Unit};

use crate::client::{self, AdminArgs};
use crate::plain::print;

/// What `flotilla token` takes.
#[derive(Args, Debug)]
pub struct TokenArgs {
    #[command(flatten)]
    admin: AdminArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make a token and print it: it is shown only once, and kept as a hash
    New {
        /// What it is for
        name: String,
        /// Its user, as an admin [default: yourself]
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// It may only read
        #[arg(long)]
        read: bool,
        /// It may only call the HTTP endpoints of flows
        #[arg(long, conflicts_with = "read")]
        call: bool,
        /// Only for this group; may be repeated
        #[arg(long = "group", value_name = "NAME")]
        groups: Vec<String>,
        /// How long it is valid: 12h, 90d [default: until it is revoked]
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        expires: Option<u64>,
    },
    /// List your own tokens, or as an admin all
    List {
        /// Those of this user
        #[arg(long, value_name = "USER")]
        user: Option<String>,
    },
    /// Revoke tokens, with immediate effect
    Revoke {
        /// Their ids, from `list`
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// Runs the subcommand.
pub async fn run(args: TokenArgs) -> anyhow::Result<ExitCode> {
    let (client, json) = (args.admin.client(), args.admin.json);
    match args.command {
        Command::New { name, user, read, call, groups, expires } => {
            let access = match (read, call) {
                (true, _) => Access::Read,
                (_, true) => Access::Call,
                _ => Access::Write,
            };
            let made = client.make_token(&NewToken { name, user, access, groups, expires_s: expires }).await?;
            if json {
                client::json(&made);
            } else {
                // The text alone on standard output: TOKEN=$(flotilla token new ci)
                print(&format!("{}\n", made.secret));
                eprintln!(
                    "keep it now: it is not shown again; `flotilla token revoke {}` makes it void",
                    made.token.id
                );
            }
        }
        Command::List { user } => {
            let tokens = client.tokens(user.as_deref()).await?;
            if json {
                client::json(&tokens);
            } else {
                client::table(["ID", "NAME", "USER", "FOR", "EXPIRES (UTC)", "LAST USE"], tokens.into_iter().map(row));
            }
        }
        Command::Revoke { ids } => {
            for id in ids {
                client.revoke_token(&id).await?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(token: Token) -> [String; 6] {
    let access = match token.access {
        Access::Read => "reading",
        Access::Write => "everything",
        Access::Call => "calling flows",
    };
    let groups = if token.groups.is_empty() { String::new() } else { format!(" in {}", token.groups.join(", ")) };
    let expires = token.expires_ms.map_or_else(|| "never".to_owned(), client::time);
    let used = token.used_ms.map_or_else(|| "never".to_owned(), |used| format!("{} ago", client::age(used)));
    [token.id, token.name, token.user, format!("{access}{groups}"), expires, used]
}

/// A length of time as people write it, in seconds.
pub fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is not a duration: write for example 30m, 12h or 90d");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let total = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).map_err(|_| wrong())?;
    if total >= 1.0 { Ok(total as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, expected) in [("30m", 1_800), ("12h", 43_200), ("90d", 7_776_000), ("1h 30m", 5_400)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for bad in ["", "90", "-1d", "0s", "soon"] {
            assert!(seconds(bad).unwrap_err().contains("90d"), "{bad}");
        }
    }
}
