//! `flotilla alert`: what is wrong with a group, and whether somebody is told.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use flotilla_api::alert::Alert;

use crate::client::{self, GroupArgs};
use crate::plain;
use crate::plain::print;

/// What `flotilla alert` takes.
#[derive(Args, Debug)]
pub struct AlertArgs {
    #[command(flatten)]
    group: GroupArgs,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Show the current alerts, and the newest that ended
    List,
    /// Send a test alert to the group's webhook
    Test,
}

/// Lists or tests.
pub async fn run(args: AlertArgs) -> anyhow::Result<ExitCode> {
    let (client, group, json) = (args.group.client(), &args.group.group, args.group.admin.json);
    match args.what {
        What::List => {
            let found = client.alerts(group).await?;
            if json {
                client::json(&found);
                return Ok(ExitCode::SUCCESS);
            }
            if found.active.is_empty() {
                print("nothing is wrong\n");
            }
            let rows = found.active.iter().chain(found.ended.iter().take(20)).map(row);
            if !(found.active.is_empty() && found.ended.is_empty()) {
                client::table(["KIND", "CAUSE", "SINCE (UTC)", "ENDED", "WHAT"], rows);
            }
            for unsent in &found.unsent {
                let text = format!(
                    "! {} was not taken by the webhook after {} tries: {}",
                    unsent.alert.kind, unsent.tries, unsent.error
                );
                eprintln!("{}", plain::one_line(&text));
            }
        }
        What::Test => {
            let done = client.test_alert(group).await?;
            if json {
                client::json(&done);
                return Ok(ExitCode::SUCCESS);
            }
            let signed = if done.signed { "signed" } else { "not signed: the gateway has no --alert-secret" };
            print(&format!("{}\n", plain::one_line(&format!("{} answered {} ({signed})", done.webhook, done.status))));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(alert: &Alert) -> [String; 5] {
    [
        alert.kind.to_string(),
        alert.cause.clone(),
        client::time(alert.since_ms),
        alert.ended_ms.map_or_else(|| "lasts".to_owned(), client::time),
        alert.text.clone(),
    ]
}
