//! Reading a flow document and what belongs to it from files.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use flotilla_flows::{ALLOW_UNKNOWN, Document, UnknownType, read_credentials, refusal};
use flotilla_group::revision::Revision;

use crate::exit::{Exit, Failure};
use crate::replica::FlowArgs;

/// Reads a revision from files. Credentials stay as they are in their file.
pub fn read(flows: &Path, args: &FlowArgs) -> anyhow::Result<Revision> {
    read_files(flows, args).map_err(usage)
}

fn read_files(flows: &Path, args: &FlowArgs) -> anyhow::Result<Revision> {
    let text = text_of(flows)?;
    Document::parse(&text).with_context(|| flows.display().to_string())?;
    let flows = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    let credentials = match &args.credentials {
        Some(path) => {
            serde_json::from_str(&text_of(path)?).with_context(|| format!("{} is not JSON", path.display()))?
        }
        None => serde_json::Value::Null,
    };
    let env = args.env_file.as_deref().map(env_file).transpose()?.unwrap_or_default();
    Ok(Revision { flows, credentials, env, settings: serde_json::Map::new(), message: String::new() })
}

/// Reads a revision that a process of this machine is to run, and refuses one that cannot run, so that it is not recorded.
pub fn read_runnable(flows: &Path, args: &FlowArgs, allow_unknown: bool) -> anyhow::Result<Revision> {
    read_checked(flows, args, allow_unknown).map_err(usage)
}

fn read_checked(flows: &Path, args: &FlowArgs, allow_unknown: bool) -> anyhow::Result<Revision> {
    let mut revision = read_files(flows, args)?;
    let document = Document::from_value(revision.flows.clone()).with_context(|| flows.display().to_string())?;
    let is_known = |kind: &str| flotilla_runtime::TYPES.iter().any(|row| row.name == kind);
    let refusal = refusal(&document, is_known);
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

/// The text of a file; `-` is standard input.
pub fn text_or_stdin(path: &Path) -> anyhow::Result<String> {
    if path.as_os_str() == "-" {
        return std::io::read_to_string(std::io::stdin()).context("cannot read standard input");
    }
    text_of(path)
}

/// What is wrong with a file that the command line names.
fn usage(error: anyhow::Error) -> anyhow::Error {
    Failure::new(Exit::Usage, format!("{error:#}")).into()
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
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
