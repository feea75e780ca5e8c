//! `flotilla version`.

use std::process::ExitCode;

use clap::Args;

use crate::client;
use crate::plain::print;

/// What `flotilla version` takes.
#[derive(Args, Debug)]
pub struct VersionArgs {
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Prints it.
pub fn run(args: &VersionArgs) -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        client::json(&serde_json::json!({
            "version": version,
            "api": "v1",
            "record_format": flotilla_group::RECORD_FORMAT,
            "os": std::env::consts::OS,
            "arch": std::env::consts::ARCH,
        }));
    } else {
        print(&format!("flotilla {version}\n"));
    }
    Ok(ExitCode::SUCCESS)
}
