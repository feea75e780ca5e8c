//! Reviews a document.

use std::process::ExitCode;

use anyhow::Context;
use flotilla_api::Client;
use flotilla_flows::{Document, Finding, Severity, review};
use flotilla_runtime::compile::Fault;

use super::args::{Format, ReviewArgs};
use super::html;
use super::junit::junit;
use super::place::Files;
use super::render::render;
use super::sarif::sarif;
use crate::deploycheck;
use crate::exit::Exit;
use crate::flow_files::source;
use crate::placement::standing;
use crate::plain::print;

/// Prints what does not compile and the findings. Exit code 1 for warnings and errors (`--strict`: for all), 2 when the
/// document cannot be read.
pub async fn run(args: &ReviewArgs) -> anyhow::Result<ExitCode> {
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
    if let Some(group) = &args.group {
        findings.extend(of_group(&args.admin.client(), group).await?);
    }
    let counts = |finding: &Finding| args.strict || finding.severity != Severity::Info;
    let text = match if args.admin.json { Format::Json } else { args.format } {
        Format::Text => render(&findings),
        Format::Json => serde_json::to_string_pretty(&findings)? + "\n",
        Format::Junit => junit(&args.flows.display().to_string(), &findings, counts),
        Format::Sarif => format!("{:#}\n", sarif(&findings, &Files::new(&args.flows, &source))),
    };
    if let Some(path) = &args.html {
        let name = args.flows.file_name().map_or("standard input".into(), |name| name.to_string_lossy());
        let page = html::page(if name == "-" { "standard input" } else { &name }, &document, &findings);
        std::fs::write(path, page).with_context(|| format!("cannot write --html {}", path.display()))?;
    }
    match &args.output {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write --output {}", path.display()))?;
            print(&render(&findings));
        }
        None => print(&text),
    }
    Ok(if findings.iter().any(counts) { Exit::Failed } else { Exit::Done }.into())
}

/// How a group stands on its hosts, and what is in the way of its replicas.
async fn of_group(client: &Client, name: &str) -> anyhow::Result<Vec<Finding>> {
    let (group, replicas) = (client.group(name).await?, client.replicas(name).await?);
    let standing = standing(client, &group, &replicas).await?;
    let finding = |code: &'static str, kind: &str, node: &str, what: String, advice: &str| Finding {
        severity: Severity::Warning,
        code: code.into(),
        node: node.to_owned(),
        kind: kind.to_owned(),
        name: String::new(),
        tab: String::new(),
        what,
        advice: advice.to_owned(),
    };
    let spread = "spread the replicas over hosts with `flotilla agent` and a server group: docs/hosts.md";
    let mut found: Vec<Finding> =
        standing.warnings.iter().map(|why| finding("hosts", "group", name, why.clone(), spread)).collect();
    for replica in &replicas {
        let advice = "see `flotilla status` and `flotilla logs`, before a rollout meets it";
        let problems = deploycheck::problems(replica, &replicas, &standing.hosts);
        found.extend(problems.into_iter().map(|why| finding("replica", "replica", &replica.id, why, advice)));
    }
    Ok(found)
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
