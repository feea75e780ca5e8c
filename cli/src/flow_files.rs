//! Reading a flow document and what belongs to it from files.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use flotilla_flows::{ALLOW_UNKNOWN, Document, UnknownType, is_flowfuse, join, read_credentials, refusal, unprotected};
use flotilla_group::revision::Revision;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::exit::{Exit, Failure};
use crate::flow_args::FlowArgs;
use crate::flow_folder;
use crate::user_dir::{ReadSettings, read_settings};

/// What the command line gives of a revision; nothing stands for what it does not give.
pub struct Given {
    /// The flow document, or null.
    pub flows: Value,
    /// The content of the credentials file, or null.
    pub credentials: Value,
    /// The content of the file with variables.
    pub env: Option<BTreeMap<String, String>>,
    /// The content of the settings file.
    pub settings: Option<Map<String, Value>>,
}

/// Reads the files that are given.
pub fn read_given(flows: Option<&Path>, args: &FlowArgs) -> anyhow::Result<Given> {
    let read = || {
        let flows = flows.map(document).transpose()?.unwrap_or_default();
        let credentials = args.credentials.as_deref().map(credentials_file).transpose()?.unwrap_or_default();
        let env = args.env_file.as_deref().map(env_file).transpose()?;
        let settings = settings(args)?;
        Ok(Given { flows, credentials, env, settings })
    };
    read().map_err(usage)
}

fn document(path: &Path) -> anyhow::Result<Value> {
    let text = source(path)?;
    let value: Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(value) => value,
        Err(error) => {
            // It says where in the file.
            Document::parse(&text).with_context(|| path.display().to_string())?;
            return Err(error.into());
        }
    };
    if !is_flowfuse(&value) {
        Document::check(&value).with_context(|| path.display().to_string())?;
    }
    Ok(value)
}

fn credentials_file(path: &Path) -> anyhow::Result<Value> {
    serde_json::from_str(&text_of(path)?).with_context(|| format!("{} is not JSON", path.display()))
}

/// Reads a revision that a process of this machine is to run, and refuses one that cannot run, so that it is not recorded.
pub fn read_runnable(flows: &Path, args: &FlowArgs, allow_unknown: bool) -> anyhow::Result<Revision> {
    read_checked(flows, args, allow_unknown).map_err(usage)
}

fn read_checked(flows: &Path, args: &FlowArgs, allow_unknown: bool) -> anyhow::Result<Revision> {
    let Given { flows: value, credentials, env, settings } = read_given(Some(flows), args)?;
    let (env, settings) = (env.unwrap_or_default(), settings.unwrap_or_default());
    let mut revision = Revision { flows: value, credentials, env, settings, ..Revision::default() };
    let types = flotilla_runtime::types();
    let refusal = Document::look(&mut revision.flows, |document| refusal(document, |kind| types.has(kind)));
    let refusal = refusal.with_context(|| flows.display().to_string())?;
    if let Some((_, why)) = unprotected(&revision.settings) {
        bail!("{why}");
    }
    let mut refusals = Vec::new();
    if !refusal.errors.is_empty() {
        let errors: Vec<String> = refusal.errors.iter().map(ToString::to_string).collect();
        refusals.push(format!("{} cannot run:\n  {}", flows.display(), errors.join("\n  ")));
    }
    if !refusal.unknown.is_empty() && !allow_unknown {
        let row = |node: &UnknownType| {
            format!("\n  {} \"{}\" ({}) on tab \"{}\": {}", node.kind, node.name, node.node, node.tab, node.origin())
        };
        refusals.push(format!(
            "{} uses node types that Flotilla does not have:{}\nRun it with --allow-unknown to let such nodes swallow \
             messages, visibly",
            flows.display(),
            refusal.unknown.iter().map(row).collect::<String>()
        ));
    }
    if !refusals.is_empty() {
        bail!("{}", refusals.join("\n"));
    }
    if !refusal.unknown.is_empty() {
        revision.settings.insert(ALLOW_UNKNOWN.to_owned(), true.into());
    }
    if let Some(path) = &args.credentials {
        read_credentials(&revision.credentials, args.credential_secret.as_deref())
            .with_context(|| path.display().to_string())?;
    }
    Ok(revision)
}

/// The text of a flow document: a file's, a folder's that `flotilla flows split` wrote, or standard input (`-`).
pub fn source(path: &Path) -> anyhow::Result<String> {
    if path.is_dir() {
        let flows = join(&flow_folder::read(path)?).with_context(|| path.display().to_string())?;
        return Ok(flows.to_string());
    }
    text_or_stdin(path)
}

/// What a file in JSON says; `-` is standard input. `wrong` says what it is not, and what to do.
pub fn json_of<T: DeserializeOwned>(path: &Path, wrong: &str) -> anyhow::Result<T> {
    text_or_stdin(path).map_err(usage).and_then(|text| parsed(&text, wrong))
}

/// The same of a text.
pub fn parsed<T: DeserializeOwned>(text: &str, wrong: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).with_context(|| wrong.to_owned()).map_err(usage)
}

/// The text of a file; `-` is standard input.
pub fn text_or_stdin(path: &Path) -> anyhow::Result<String> {
    if path.as_os_str() == "-" {
        return std::io::read_to_string(std::io::stdin()).context("cannot read standard input");
    }
    text_of(path)
}

/// What is wrong with a file that the command line names.
pub fn usage(error: anyhow::Error) -> anyhow::Error {
    Failure::new(Exit::Usage, format!("{error:#}")).into()
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The settings that are given. What of them has no effect is said once.
fn settings(args: &FlowArgs) -> anyhow::Result<Option<Map<String, Value>>> {
    let Some(file) = &args.settings else {
        return Ok(args.found_settings.clone());
    };
    let ReadSettings { revision, start, project_broker, notes } = read_settings(file, &args.without_setting)?;
    for note in &notes {
        eprintln!("flotilla: {note}");
    }
    if project_broker.is_some() {
        eprintln!(
            "flotilla: flowforge.projectLink.broker of {} is for the process that runs replicas: --project-broker there",
            file.display()
        );
    }
    if start.contains_key("https") {
        bail!(
            "the setting https is for the address where flows serve HTTP, but {} is only read for the flow: `flotilla up DIR` \
             reads both, and `up` and `gateway` have --tls-cert and --tls-key. Leave it out with --without-setting https",
            file.display()
        );
    }
    if !start.is_empty() {
        let names: Vec<&str> = start.keys().map(String::as_str).collect();
        eprintln!("flotilla: {} of {} are for `flotilla up DIR` only", names.join(", "), file.display());
    }
    Ok(Some(revision))
}

/// `NAME=value` a line; empty lines and lines that begin with `#` are left out; quotes around a value are dropped. Values
/// are taken as they are: the `dotenvy` crate expands `$NAME` in them, which damages passwords.
fn env_file(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = text_of(path)?;
    let mut env = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches("export ");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            bail!("{}, line {}: \"{line}\" is not NAME=value", path.display(), number + 1);
        };
        let value = value.trim();
        let bare = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        env.insert(name.trim().to_owned(), bare.unwrap_or(value).to_owned());
    }
    Ok(env)
}
