//! `flotilla scale`: how many replicas the supervisor of a group keeps running.

use std::process::ExitCode;

use clap::Args;
use flotilla_api::group::Scale;

use crate::client::{self, GroupArgs};

/// What `flotilla scale` takes.
#[derive(Args, Debug)]
pub struct ScaleArgs {
    #[command(flatten)]
    group: GroupArgs,
    /// Number of replicas: 1 to 64 with `flotilla up`, 0 to 10,000 on hosts with agents; removed ones drain first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=10_000))]
    replicas: u16,
}

/// Asks for the number; `flotilla up` follows it.
pub async fn run(args: ScaleArgs) -> anyhow::Result<ExitCode> {
    let scale = Scale { replicas: args.replicas, ..Scale::default() };
    let group = args.group.client().scale(&args.group.group, &scale).await?;
    if args.group.admin.json {
        client::json(&group);
    } else {
        let (living, name) = (group.living, &group.name);
        crate::plain::print(&format!("group \"{name}\" goes from {living} to {} replicas\n", args.replicas));
    }
    Ok(ExitCode::SUCCESS)
}
