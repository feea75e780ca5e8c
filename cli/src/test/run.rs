//! Runs the tests and says how they went.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use flotilla_engine::Credentials;
use flotilla_engine::settings::Settings;
use flotilla_flow_test::{Bench, Nodes, Outcome, Suite, Unreadable, read};
use flotilla_flows::{Document, read_credentials};

use super::args::{Format, TestArgs};
use super::print::{Report, junit, pretty, tap};
use crate::flow_files;
use crate::plain::print;

/// The flow or the tests cannot be used as they are.
const BAD_INPUT: u8 = 2;

/// Exit code 0 when all tests pass, 1 when some fail, 2 when the flow or the tests cannot be used.
pub async fn run(args: TestArgs) -> anyhow::Result<ExitCode> {
    let outcomes = match outcomes(&args).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            eprintln!("{}", told(&args.tests, &error));
            return Ok(ExitCode::from(BAD_INPUT));
        }
    };
    let suite = args.tests.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let report = Report { suite: &suite, outcomes: &outcomes };
    let text = match args.format {
        Format::Pretty => pretty(&report),
        Format::Tap => tap(&report),
        Format::Junit => junit(&report),
    };
    match &args.output {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write --output {}", path.display()))?;
            print(&pretty(&report));
        }
        None => print(&text),
    }
    let passed = outcomes.iter().all(Outcome::passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Problems of the tests file in the form that editors follow: `FILE:LINE:COLUMN: ...`.
fn told(tests: &Path, error: &anyhow::Error) -> String {
    match error.downcast_ref::<Unreadable>() {
        Some(Unreadable(problems)) => {
            problems.iter().map(|problem| format!("{}:{problem}", tests.display())).collect::<Vec<_>>().join("\n")
        }
        None => format!("flotilla: {error:#}"),
    }
}

async fn outcomes(args: &TestArgs) -> anyhow::Result<Vec<Outcome>> {
    let (bench, suite) = load(args)?;
    let mut outcomes = Vec::new();
    for case in suite.cases.iter().filter(|case| args.only.as_ref().is_none_or(|only| case.name.contains(only))) {
        outcomes.push(bench.run(&suite, case).await.with_context(|| args.flows.display().to_string())?);
    }
    if outcomes.is_empty() {
        bail!("no test has \"{}\" in its name; see --only", args.only.as_deref().unwrap_or_default());
    }
    Ok(outcomes)
}

fn load(args: &TestArgs) -> anyhow::Result<(Bench, Suite)> {
    let revision = flow_files::read_runnable(&args.flows, &args.flow, args.allow_unknown)?;
    let document = Document::from_value(revision.flows)?;
    let mut credentials = Credentials::default();
    if revision.credentials.is_object() {
        credentials.extend(read_credentials(&revision.credentials, args.flow.credential_secret.as_deref())?);
    }
    for (node, fields) in &document.credentials {
        if let serde_json::Value::Object(fields) = fields {
            credentials.entry(node.clone()).or_insert_with(|| fields.clone());
        }
    }
    let settings = Settings {
        allow_unknown: args.allow_unknown,
        node_modules: args.node_modules.clone(),
        env: revision.env.into_iter().map(|(name, value)| (name, Some(value))).collect(),
        ..Settings::default()
    };
    let faults = flotilla_runtime::compile::faults(&document);
    if !faults.is_empty() {
        let lines = faults.iter().map(|fault| {
            let name = if fault.name.is_empty() { &fault.node } else { &fault.name };
            format!("{}: {} \"{name}\": {fault}", args.flows.display(), fault.kind)
        });
        bail!("the flow has code that does not compile:\n{}", lines.collect::<Vec<_>>().join("\n"));
    }
    let nodes = Nodes::of(&document);
    let text = std::fs::read_to_string(&args.tests).with_context(|| format!("cannot read {}", args.tests.display()))?;
    let suite = read(&text, &nodes)?;
    Ok((Bench { document, credentials, settings, nodes }, suite))
}
