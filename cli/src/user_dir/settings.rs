//! `settings.js`, or settings in JSON, sorted by what they are here.

use std::path::Path;

use anyhow::{Context, bail};
use flotilla_engine::settings::is_own;
use flotilla_flows::{Sorted, take_project_broker};
use flotilla_script::SettingsFile;
use serde_json::{Map, Value};

/// Settings that were read.
#[derive(Debug, Default)]
pub struct ReadSettings {
    /// For the revision.
    pub revision: Map<String, Value>,
    /// For the process that starts the group.
    pub start: Map<String, Value>,
    /// The broker of FlowFuse's project links, with user and password.
    pub project_broker: Option<String>,
    /// What has no effect, a line each.
    pub notes: Vec<String>,
}

/// Reads `settings.js` (evaluated in the sandbox of function nodes, with the environment of this process) or a JSON object.
/// A setting that protects what flows serve and cannot be taken is refused, unless it is one of `without`.
pub fn read_settings(file: &Path, without: &[String]) -> anyhow::Result<ReadSettings> {
    let absolute = std::path::absolute(file)?;
    let folder = absolute.parent().map(Path::to_path_buf).unwrap_or_default();
    let is_script = file.extension().is_some_and(|extension| extension == "js" || extension == "cjs");
    if !is_script {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut revision: Map<String, Value> = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a JSON object of settings", file.display()))?;
        revision.retain(|name, _| !without.contains(name));
        absolute_static(&mut revision, &folder);
        let project_broker = take_project_broker(&mut revision);
        return Ok(ReadSettings { revision, project_broker, ..ReadSettings::default() });
    }
    let env = std::env::vars().filter(|(name, _)| !is_own(name)).collect();
    let SettingsFile { mut exported, mut left_out } = SettingsFile::evaluate(&absolute, &env)?;
    let is_without = |at: &str| without.iter().any(|name| at.split(['.', '[']).next() == Some(name));
    exported.retain(|name, _| !is_without(name));
    left_out.retain(|(at, _)| !is_without(at));
    let Sorted { mut revision, start, ignored, mut refused } = Sorted::of(exported, &left_out);
    // An address with TLS answers nothing without it.
    if start.contains_key("https") {
        refused.retain(|(name, _)| name != "requireHttps");
    }
    if !refused.is_empty() {
        let rows: String = refused.iter().map(|(name, why)| format!("\n  {name}: {why}")).collect();
        bail!(
            "{} has settings that Flotilla does not support:{rows}\n\
             Make sure that something else protects what flows serve, and leave out each such setting with --without-setting NAME",
            file.display()
        );
    }
    absolute_static(&mut revision, &folder);
    roots(&mut revision, &start);
    let project_broker = take_project_broker(&mut revision);
    let notes = ignored.into_iter().map(|(name, why)| format!("the setting {name} has no effect: {why}")).collect();
    Ok(ReadSettings { revision, start, project_broker, notes })
}

/// `httpStatic` with absolute paths, from here or from the folder of the settings: replicas have another working directory,
/// perhaps.
fn absolute_static(settings: &mut Map<String, Value>, folder: &Path) {
    let absolute = |path: &mut String| {
        let from_here = Path::new(path.as_str());
        if from_here.is_relative() {
            let at =
                if from_here.exists() { std::path::absolute(from_here).ok() } else { Some(folder.join(from_here)) };
            if let Some(at) = at.and_then(|at| std::path::absolute(at).ok()) {
                *path = at.display().to_string();
            }
        }
    };
    let one = |entry: &mut Value| match entry {
        Value::String(path) => absolute(path),
        Value::Object(fields) => {
            if let Some(Value::String(path)) = fields.get_mut("path") {
                absolute(path);
            }
        }
        _ => {}
    };
    match settings.get_mut("httpStatic") {
        Some(Value::Array(entries)) => entries.iter_mut().for_each(one),
        Some(entry) => one(entry),
        None => {}
    }
}

/// `httpRoot` is `httpNodeRoot` where that is not set.
fn roots(settings: &mut Map<String, Value>, start: &Map<String, Value>) {
    if let Some(root) = start.get("httpRoot") {
        settings.entry("httpNodeRoot").or_insert_with(|| root.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowfuse_s_broker_is_for_the_process_and_no_secret_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let own = r#"{"flowforge": {"teamID": "t", "projectID": "p", "projectLink": {"token": "hidden",
            "broker": {"url": "mqtt://h:1884", "username": "u", "password": "hidden"}}}}"#;
        for (name, text) in [("settings.js", format!("module.exports = {own};")), ("settings.json", own.to_owned())] {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            let read = read_settings(&file, &[]).unwrap();
            assert_eq!(read.project_broker.as_deref(), Some("mqtt://u:hidden@h:1884"), "{name}");
            assert!(!Value::Object(read.revision.clone()).to_string().contains("hidden"), "{name}");
            assert_eq!(read.revision["flowforge"]["projectID"], "p", "{name}");
        }
    }

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
