//! `settings.js`, or settings in JSON, sorted by what they are here.

use std::path::Path;

use anyhow::{Context, bail};
use flotilla_engine::settings::is_own;
use flotilla_flows::Sorted;
use flotilla_script::SettingsFile;
use serde_json::{Map, Value};

/// Settings that were read.
#[derive(Debug, Default)]
pub struct ReadSettings {
    /// For the revision.
    pub revision: Map<String, Value>,
    /// For the process that starts the group.
    pub start: Map<String, Value>,
    /// What has no effect, a line each.
    pub notes: Vec<String>,
}

/// Reads `settings.js` (evaluated in the sandbox of function nodes, with the environment of this process) or a JSON object.
/// A setting that protects what flows serve and cannot be taken is refused, unless it is one of `without`.
pub fn read_settings(file: &Path, without: &[String]) -> anyhow::Result<ReadSettings> {
    let is_script = file.extension().is_some_and(|extension| extension == "js" || extension == "cjs");
    if !is_script {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut revision: Map<String, Value> = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a JSON object of settings", file.display()))?;
        revision.retain(|name, _| !without.contains(name));
        return Ok(ReadSettings { revision, ..ReadSettings::default() });
    }
    let absolute = std::path::absolute(file)?;
    let env = std::env::vars().filter(|(name, _)| !is_own(name)).collect();
    let SettingsFile { mut exported, mut left_out } = SettingsFile::evaluate(&absolute, &env)?;
    let is_without = |at: &str| without.iter().any(|name| at.split(['.', '[']).next() == Some(name));
    exported.retain(|name, _| !is_without(name));
    left_out.retain(|(at, _)| !is_without(at));
    let Sorted { revision, start, ignored, refused } = Sorted::of(exported, &left_out);
    if !refused.is_empty() {
        let rows: String = refused.iter().map(|(name, why)| format!("\n  {name}: {why}")).collect();
        bail!(
            "{} has settings that cannot be taken:{rows}\n\
             See to it that something else protects what flows serve, and leave such a setting out with --without-setting NAME",
            file.display()
        );
    }
    let notes = ignored.into_iter().map(|(name, why)| format!("the setting {name} has no effect: {why}")).collect();
    Ok(ReadSettings { revision, start, notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_protects_has_to_be_left_out_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.js");
        let source =
            "module.exports = {uiPort: 1, httpNodeMiddleware: () => 1, requireHttps: true, apiMaxLength: '1mb'};";
        std::fs::write(&file, source).unwrap();
        let error = read_settings(&file, &[]).unwrap_err().to_string();
        assert!(error.contains("httpNodeMiddleware") && error.contains("requireHttps: it protects"), "{error}");
        let without = ["httpNodeMiddleware".to_owned(), "requireHttps".to_owned()];
        let read = read_settings(&file, &without).unwrap();
        assert_eq!((read.revision.len(), read.start.len(), read.notes.len()), (1, 1, 0), "{read:?}");
    }
}
