//! `flotilla inject`: presses the button of an inject node.

use std::process::ExitCode;

use clap::Args;
use flotilla_api::node::Inject;

use crate::client::{self, GroupArgs};
use crate::exit::{Exit, Failure};
use crate::plain;
use crate::plain::print;

/// What `flotilla inject` takes.
#[derive(Args, Debug)]
pub struct InjectArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// The inject node, by its id or its name
    node: String,
    /// The payload instead of the configured one
    #[arg(long, value_name = "JSON")]
    payload: Option<String>,
    /// The replica that does it, or `each` [default: one that is ready]
    #[arg(long, value_name = "REPLICA", default_value = "", hide_default_value = true)]
    replica: String,
}

/// Presses the button.
pub async fn run(args: InjectArgs) -> anyhow::Result<ExitCode> {
    let payload = args.payload.as_deref().map(serde_json::from_str).transpose().map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("--payload is not JSON: {error}; a text needs its quotes: --payload '\"text\"'"),
        )
    })?;
    let inject = Inject { payload, replica: args.replica };
    let done = args.group.client().inject(&args.group.group, &args.node, &inject).await?;
    if args.group.admin.json {
        client::json(&done);
    } else {
        let text = format!("injected {} on {}", done.node, done.replicas.join(", "));
        print(&format!("{}\n", plain::one_line(&text)));
    }
    for missing in &done.unanswered {
        eprintln!("{}", plain::one_line(&format!("! {} did not: {}", missing.replica, missing.reason)));
    }
    Ok(if done.unanswered.is_empty() { ExitCode::SUCCESS } else { Exit::Failed.into() })
}
