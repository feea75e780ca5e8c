//! `flotilla debug`: what debug nodes show.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use flotilla_api::debug::DebugMessage;
use flotilla_api::node::Unanswered;

use crate::client::{self, GroupArgs};
use crate::plain;
use crate::plain::print;

/// What `flotilla debug` takes.
#[derive(Args, Debug)]
pub struct DebugArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// Only this debug node, by its id or its name
    #[arg(long, value_name = "NODE", default_value = "")]
    node: String,
    /// Follow until Ctrl-C; with --json one object per line
    #[arg(long, short)]
    follow: bool,
}

/// Prints what debug nodes showed, or show.
pub async fn run(args: DebugArgs) -> anyhow::Result<ExitCode> {
    let client = args.group.client();
    let (group, json) = (&args.group.group, args.group.admin.json);
    if args.follow {
        let mut events = client.follow_debug(group, &args.node).await?;
        while let Some(event) = events.next().await? {
            match &*event.name {
                "unanswered" => {
                    unanswered(&serde_json::from_str(&event.data).context("cannot read an event of the stream")?);
                }
                _ if json => print(&format!("{}\n", event.data)),
                _ => show(&serde_json::from_str(&event.data).context("cannot read an event of the stream")?),
            }
        }
        anyhow::bail!("the gateway ended the stream: it stops or restarts");
    }
    let found = client.debug(group, &args.node).await?;
    if json {
        client::json(&found);
        return Ok(ExitCode::SUCCESS);
    }
    found.messages.iter().for_each(show);
    if found.messages.is_empty() {
        eprintln!("no debug node has shown anything yet; see `flotilla nodes --type debug`");
    }
    found.unanswered.iter().for_each(unanswered);
    Ok(ExitCode::SUCCESS)
}

fn show(message: &DebugMessage) {
    if message.left_out > 0 {
        print(&format!("... {} messages of {} came too fast and were left out\n", message.left_out, message.replica));
    }
    let time = client::clock(message.time_ms);
    print(&plain::one_line(&format!("{time} {:<12} {message}", message.replica)));
    print("\n");
}

/// On standard error: it is no message of the flow.
fn unanswered(unanswered: &Unanswered) {
    eprintln!("{}", plain::one_line(&format!("! {} does not answer: {}", unanswered.replica, unanswered.reason)));
}
