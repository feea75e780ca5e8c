//! Reading a flow document and what belongs to it from files.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use flotilla_flows::{Document, UnknownType, read_credentials, unknown_types};
use flotilla_group::revision::Revision;
use flotilla_runtime::engine::ALLOW_UNKNOWN;

use crate::replica::FlowArgs;

/// Reads a revision from files, for the admin API to check.
pub fn load(flows: &Path, args: &FlowArgs) -> anyhow::Result<Revision> {
    let text = std::fs::read_to_string(flows).with_context(|| format!("cannot read {}", flows.display()))?;
    Document::parse(&text).with_context(|| flows.display().to_string())?;
    let flows = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    let credentials = match &args.credentials {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?
        }
        None => serde_json::Value::Null,
    };
    let env = args.env_file.as_deref().map(env_file).transpose()?.unwrap_or_default();
    Ok(Revision { flows, credentials, env, settings: serde_json::Map::new(), message: String::new() })
}

/// Reads a revision from files. Everything is checked here, so that nothing that cannot run is recorded.
pub fn read(flows: &Path, args: &FlowArgs, allow_unknown: bool) -> anyhow::Result<Revision> {
    let text = std::fs::read_to_string(flows).with_context(|| format!("cannot read {}", flows.display()))?;
    let document = Document::parse(&text).with_context(|| flows.display().to_string())?;
    let value: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    let flotilla_flows::Expanded { graph, problems } = flotilla_flows::expand(&document);
    let errors: Vec<String> = problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect();
    let mut refusals = Vec::new();
    if !errors.is_empty() {
        refusals.push(format!("{} cannot run:\n  {}", flows.display(), errors.join("\n  ")));
    }
    let unknown = unknown_types(&graph, |kind| flotilla_runtime::nodes::TYPES.iter().any(|row| row.name == kind));
    if !unknown.is_empty() && !allow_unknown {
        let row = |node: &UnknownType| {
            format!("\n  {} \"{}\" ({}) on tab \"{}\": {}", node.kind, node.name, node.node, node.tab, node.origin())
        };
        refusals.push(format!(
            "{} uses node types that Flotilla does not have:{}\nRun it with --allow-unknown to let such nodes swallow \
             messages, visibly",
            flows.display(),
            unknown.iter().map(row).collect::<String>()
        ));
    }
    if !refusals.is_empty() {
        bail!("{}", refusals.join("\n"));
    }
    let mut settings = serde_json::Map::new();
    if !unknown.is_empty() {
        settings.insert(ALLOW_UNKNOWN.to_owned(), true.into());
    }
    let credentials = match &args.credentials {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            let value = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
            read_credentials(&value, args.credential_secret.as_deref()).with_context(|| path.display().to_string())?;
            value
        }
        None => serde_json::Value::Null,
    };
    let env = match &args.env_file {
        Some(path) => env_file(path)?,
        None => BTreeMap::new(),
    };
    Ok(Revision { flows: value, credentials, env, settings, message: String::new() })
}

/// `NAME=value` a line; empty lines and lines that begin with `#` are left out; quotes around a value are dropped.
fn env_file(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
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
