//! `flotilla review`: what a flow does differently at several replicas.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use flotilla_flows::{Document, Finding, Severity, review};
use flotilla_runtime::compile::Fault;

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

/// Prints what does not compile and the findings. Exit code 1 for warnings and errors (`--strict`: for all), 2 when the document cannot be read.
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
    let mut findings = does_not_compile(&document);
    findings.extend(review(&document));
    let text = if args.json { serde_json::to_string_pretty(&findings)? + "\n" } else { render(&findings) };
    print(&text);
    let counts = |finding: &Finding| args.strict || finding.severity != Severity::Info;
    Ok(if findings.iter().any(counts) { Exit::Failed } else { Exit::Done }.into())
}

/// Code that does not compile, as findings.
fn does_not_compile(document: &Document) -> Vec<Finding> {
    let whole = document.to_value();
    let label = |id: &str| {
        let tab = whole.as_array().into_iter().flatten().find(|entry| entry["id"] == id);
        let name = |field: &str| tab?.get(field)?.as_str();
        name("label").or_else(|| name("name")).unwrap_or(id).to_owned()
    };
    let finding = |fault: Fault| Finding {
        severity: Severity::Error,
        code: "does-not-compile".into(),
        tab: label(&fault.tab),
        what: fault.to_string(),
        advice: "correct it: the node does not start, or each message that reaches it is an error".to_owned(),
        node: fault.node,
        kind: fault.kind,
        name: fault.name,
    };
    flotilla_runtime::compile::faults(document).into_iter().map(finding).collect()
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
