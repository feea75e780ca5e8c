//! `flotilla review`: what a flow does differently at several replicas.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use flotilla_flows::{Document, Finding, Severity, review};

use crate::exit::Exit;

/// What `flotilla review` takes.
#[derive(Args, Debug)]
pub struct ReviewArgs {
    /// The flow document, as exported from Node-RED
    #[arg(value_name = "FLOWS.json")]
    flows: PathBuf,
    /// Print JSON: an array of findings
    #[arg(long)]
    json: bool,
    /// Exit with 1 for every finding, also those that are only worth knowing
    #[arg(long)]
    strict: bool,
}

/// Prints the findings. Exit code 1 for warnings and errors (`--strict`: for all), 2 when the document cannot be read.
pub fn run(args: &ReviewArgs) -> anyhow::Result<ExitCode> {
    let read = std::fs::read_to_string(&args.flows).map_err(|error| error.to_string());
    let document = read.and_then(|text| Document::parse(&text).map_err(|error| error.to_string()));
    let document = match document {
        Ok(document) => document,
        Err(error) => {
            eprintln!("flotilla: {}: {error}", args.flows.display());
            return Ok(Exit::Usage.into());
        }
    };
    let findings = review(&document);
    let text = if args.json { serde_json::to_string_pretty(&findings)? + "\n" } else { render(&findings) };
    print(&text);
    let counts = |finding: &Finding| args.strict || finding.severity != Severity::Info;
    Ok(if findings.iter().any(counts) { Exit::Failed } else { Exit::Done }.into())
}

/// Findings for people, most severe first, each with what happens and what to do.
pub fn render(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "Nothing in this flow behaves differently at several replicas.\n".to_owned();
    }
    findings
        .iter()
        .map(|finding| {
            let name = if finding.name.is_empty() { &finding.node } else { &finding.name };
            format!(
                "{:<8}{} \"{}\" on tab \"{}\"\n        {}\n        -> {}\n",
                finding.severity.to_string(),
                finding.kind,
                name,
                finding.tab,
                finding.what,
                finding.advice
            )
        })
        .collect()
}

/// Writes to standard output, control characters as escapes; a closed pipe (`| head`) is no error.
pub fn print(text: &str) {
    use std::io::Write;
    drop(std::io::stdout().write_all(crate::plain::lines(text).as_bytes()));
}
