//! Reviews a document.

use std::process::ExitCode;

use anyhow::Context;
use flotilla_flows::{Document, Finding, Severity, review};
use flotilla_runtime::compile::Fault;

use super::args::{Format, ReviewArgs};
use super::junit::junit;
use super::place::Files;
use super::render::{print, render};
use super::sarif::sarif;
use crate::exit::Exit;
use crate::flow_files::source;

/// Prints what does not compile and the findings. Exit code 1 for warnings and errors (`--strict`: for all), 2 when the
/// document cannot be read.
pub fn run(args: &ReviewArgs) -> anyhow::Result<ExitCode> {
    let read = || {
        let text = source(&args.flows)?;
        let document = Document::parse(&text).with_context(|| args.flows.display().to_string())?;
        Ok::<_, anyhow::Error>((text, document))
    };
    let (source, document) = match read() {
        Ok(read) => read,
        Err(error) => {
            eprintln!("flotilla: {}", crate::plain::lines(&format!("{error:#}")));
            return Ok(Exit::Usage.into());
        }
    };
    let mut findings = does_not_compile(&document);
    findings.extend(review(&document));
    let counts = |finding: &Finding| args.strict || finding.severity != Severity::Info;
    let text = match if args.json { Format::Json } else { args.format } {
        Format::Text => render(&findings),
        Format::Json => serde_json::to_string_pretty(&findings)? + "\n",
        Format::Junit => junit(&args.flows.display().to_string(), &findings, counts),
        Format::Sarif => format!("{:#}\n", sarif(&findings, &Files::new(&args.flows, &source))),
    };
    match &args.output {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write --output {}", path.display()))?;
            print(&render(&findings));
        }
        None => print(&text),
    }
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
