//! The folder: a package without code of its own, whose dependencies are what the flow names.

use std::path::Path;

use anyhow::{Context, bail};
use flotilla_flows::Wanted;
use serde_json::{Map, Value, json};

/// The name of the package in the folder; a folder that holds another one is left alone.
const NAME: &str = "flotilla-flow-modules";

/// Writes `package.json`. True when it says what it said before, so that the lock file holds.
pub(super) fn write(folder: &Path, wanted: &[Wanted]) -> anyhow::Result<bool> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join("package.json");
    let before: Option<Value> = match std::fs::read(&path) {
        Ok(text) => Some(serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    if before.as_ref().is_some_and(|before| before["name"] != NAME) {
        bail!("{} holds another npm package: choose another folder with --into", folder.display());
    }
    let dependencies: Map<String, Value> =
        wanted.iter().map(|one| (one.package.clone(), one.range.as_deref().unwrap_or("*").into())).collect();
    let manifest = json!({"name": NAME, "private": true, "dependencies": dependencies});
    if before.as_ref() == Some(&manifest) {
        return Ok(folder.join("package-lock.json").is_file());
    }
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(false)
}
