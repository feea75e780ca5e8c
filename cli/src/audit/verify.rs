//! `flotilla audit verify`: finds what was changed in an audit log.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use flotilla_api::audit::Checkpoint;
use flotilla_group::audit::{Known, Verdict, verify};

use crate::client::{self, AdminArgs};
use crate::exit::Exit;
use crate::plain::print;

/// Where `flotilla up` keeps the signed places of its audit logs, in its data folder.
pub const HEADS_FILE: &str = "audit-heads.jsonl";

/// What `flotilla audit verify` takes.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// File of signatures that a gateway wrote (`--audit-heads`) [default: that of the `flotilla up` in --data]
    #[arg(long, value_name = "FILE")]
    heads: Vec<PathBuf>,
    /// Public key that must have signed the log, as an earlier `verify` showed it
    #[arg(long, value_name = "HEX")]
    key: Vec<String>,
}

/// Fetches the log and checks it here. Exit code 1 when something is wrong.
pub async fn run(admin: &AdminArgs, group: Option<&str>, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let mut files = args.heads.clone();
    let own = admin.data.join(HEADS_FILE);
    if files.is_empty() && own.exists() {
        files.push(own);
    }
    let mut known = Known { checkpoints: Vec::new(), keys: args.key.clone() };
    for file in &files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let checkpoint: Checkpoint = serde_json::from_str(line)
                .with_context(|| format!("{}, line {}: not a signed place", file.display(), number + 1))?;
            known.checkpoints.push(checkpoint);
        }
    }
    let verdict = verify(&admin.client().audit_chain(group).await?, &known);
    if admin.json {
        client::json(&verdict);
    } else {
        print(&text(&verdict, files.is_empty()));
    }
    Ok(if verdict.problems.is_empty() { ExitCode::SUCCESS } else { Exit::Failed.into() })
}

fn text(verdict: &Verdict, alone: bool) -> String {
    let mut text = match verdict.entries {
        0 => "the log has no entry\n".to_owned(),
        entries => format!("{entries} entries, {} to {}\n", verdict.first, verdict.last),
    };
    if verdict.unchained > 0 {
        text += &format!("{} more of versions before 0.2, which nothing vouches for\n", verdict.unchained);
    }
    if verdict.entries > 0 {
        text += &format!("head {}:{}\n", verdict.last, verdict.head);
    }
    match verdict.checkpoints {
        0 => text += "no entry is signed: the gateway has no group key, or nothing was exported\n",
        signed => text += &format!("{signed} signed places, {} entries behind the last\n", verdict.unsigned),
    }
    for key in &verdict.keys {
        text += &format!("signed with {key}\n");
    }
    if alone {
        text += "compared with the store alone: a store that was rolled back as a whole is found with --heads FILE\n";
    }
    for wrong in &verdict.problems {
        text += &format!("! {} {}: {}\n", wrong.seq, wrong.what, wrong.detail);
    }
    text += if verdict.problems.is_empty() { "whole\n" } else { "NOT whole\n" };
    text
}
