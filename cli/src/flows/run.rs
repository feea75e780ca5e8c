//! The subcommands of `flotilla flows`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use flotilla_flows::{Document, merge, split};
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::flow_files::source;
use crate::flow_folder;
use crate::plain;
use crate::plain::print;

/// What `flotilla flows` takes.
#[derive(Args, Debug)]
pub struct FlowsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Write a flow document as one file per tab, with a line for each line of a function, so that git can show and merge changes
    Split {
        /// The flow document, as exported from Node-RED; - is standard input
        #[arg(value_name = "FLOWS.json")]
        flows: PathBuf,
        /// The folder; files of removed tabs are deleted from it
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Restore the flow document from such a folder
    Join {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Where to write it [default: standard output]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Merge two changes of one document; exit code 3 names conflicts. As a merge driver
    /// of git: `flotilla flows merge %O %A %B --output %A`
    Merge {
        /// The common ancestor
        #[arg(value_name = "BASE.json")]
        base: PathBuf,
        /// One changed document
        #[arg(value_name = "OURS.json")]
        ours: PathBuf,
        /// The other
        #[arg(value_name = "THEIRS.json")]
        theirs: PathBuf,
        /// Where to write it [default: standard output]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Runs the subcommand.
pub fn run(args: &FlowsArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Split { flows, folder } => {
            let files = split(&document(flows)?);
            let (wrote, removed) = flow_folder::write(folder, &files).map_err(usage)?;
            let same = files.len() - wrote;
            print(&format!("{}: {wrote} files written, {same} as they were, {removed} removed\n", folder.display()));
            Ok(ExitCode::SUCCESS)
        }
        Command::Join { folder, output } => {
            if !folder.is_dir() {
                let message =
                    format!("{} is not a folder: name one that `flotilla flows split` wrote", folder.display());
                return Err(Failure::new(Exit::Usage, message).into());
            }
            write(&document(folder)?.to_value(), output.as_deref())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Merge { base, ours, theirs, output } => {
            let merged = merge(&document(base)?, &document(ours)?, &document(theirs)?);
            if merged.conflicts.is_empty() {
                write(&merged.flows, output.as_deref())?;
                return Ok(ExitCode::SUCCESS);
            }
            eprintln!("flotilla: both changed the same; nothing was written:");
            for conflict in &merged.conflicts {
                eprintln!("  {}", plain::one_line(&conflict.to_string()));
            }
            Ok(Exit::Refused.into())
        }
    }
}

fn document(path: &Path) -> anyhow::Result<Document> {
    let read = || Document::parse(&source(path)?).with_context(|| path.display().to_string());
    read().map_err(usage)
}

fn usage(error: anyhow::Error) -> anyhow::Error {
    Failure::new(Exit::Usage, format!("{error:#}")).into()
}

/// As Node-RED writes it with `flowFilePretty`.
fn write(flows: &Value, output: Option<&Path>) -> anyhow::Result<()> {
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    serde::Serialize::serialize(flows, &mut serde_json::Serializer::with_formatter(&mut text, indent))?;
    text.push(b'\n');
    match output {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display())),
        None => {
            use std::io::Write;
            // JSON escapes control characters itself.
            drop(std::io::stdout().write_all(&text));
            Ok(())
        }
    }
}
