//! The files of a user directory, under the names that Node-RED gives them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Map, Value};

/// The flow document: `flowFile` of the settings, else `flows_HOSTNAME.json`, as Node-RED looks for them; else `flows.json`,
/// else the only one that there is, for directories that come from another machine.
pub fn flow_file(dir: &Path, setting: Option<&Value>) -> anyhow::Result<PathBuf> {
    if let Some(name) = setting {
        let name = name.as_str().with_context(|| format!("flowFile is {name}: it must be the name of a file"))?;
        let file = dir.join(name);
        anyhow::ensure!(file.is_file(), "{} does not exist, but settings.js names it as flowFile", file.display());
        return Ok(file);
    }
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    for name in [format!("flows_{}.json", hostname.trim()), "flows.json".to_owned()] {
        if dir.join(&name).is_file() {
            return Ok(dir.join(name));
        }
    }
    let all = std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let names = all.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    let mut found: Vec<String> = names.filter(|name| is_flow_file(name)).collect();
    found.sort();
    match found.as_slice() {
        [one] => Ok(dir.join(one)),
        [] => bail!(
            "{} has no flow document (flows.json): name the file itself, or the user directory of Node-RED (~/.node-red)",
            dir.display()
        ),
        several => {
            bail!("{} has several flow documents ({}): name the one to run", dir.display(), several.join(", "))
        }
    }
}

fn is_flow_file(name: &str) -> bool {
    name.strip_prefix("flows_").and_then(|rest| rest.strip_suffix(".json")).is_some_and(|rest| !rest.ends_with("_cred"))
}

/// The credentials that belong to a flow document: `flows.json` has `flows_cred.json`.
pub fn credentials_file(flows: &Path) -> Option<PathBuf> {
    let stem = flows.file_stem()?.to_string_lossy();
    let extension = flows.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    let file = flows.with_file_name(format!("{stem}_cred{extension}"));
    file.is_file().then_some(file)
}

/// The secret that Node-RED made when the settings name none: in `.config.runtime.json`, before 1.2 in `.config.json`.
pub fn made_secret(dir: &Path) -> anyhow::Result<Option<String>> {
    for name in [".config.runtime.json", ".config.json"] {
        let file = dir.join(name);
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let config: Map<String, Value> =
            serde_json::from_str(&text).with_context(|| format!("{} is not a JSON object", file.display()))?;
        if let Some(secret) = config.get("_credentialSecret").and_then(Value::as_str) {
            return Ok(Some(secret.to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flow_document_is_found_as_node_red_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let name = |setting: Option<Value>| {
            flow_file(dir, setting.as_ref()).map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        };
        assert!(name(None).unwrap_err().to_string().contains("no flow document"));
        std::fs::write(dir.join("flows_elsewhere.json"), "[]").unwrap();
        std::fs::write(dir.join("flows_elsewhere_cred.json"), "{}").unwrap();
        assert_eq!(name(None).unwrap(), "flows_elsewhere.json");
        assert!(credentials_file(&dir.join("flows_elsewhere.json")).unwrap().ends_with("flows_elsewhere_cred.json"));
        std::fs::write(dir.join("flows_other.json"), "[]").unwrap();
        assert!(name(None).unwrap_err().to_string().contains("flows_elsewhere.json, flows_other.json"));
        std::fs::write(dir.join("flows.json"), "[]").unwrap();
        assert_eq!(name(None).unwrap(), "flows.json");
        assert_eq!(name(Some("flows_other.json".into())).unwrap(), "flows_other.json");
        assert!(name(Some("gone.json".into())).unwrap_err().to_string().contains("flowFile"));
    }

    #[test]
    fn the_secret_that_node_red_made_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(made_secret(folder.path()).unwrap(), None);
        std::fs::write(folder.path().join(".config.json"), r#"{"_credentialSecret": "old"}"#).unwrap();
        assert_eq!(made_secret(folder.path()).unwrap().as_deref(), Some("old"));
        std::fs::write(folder.path().join(".config.runtime.json"), r#"{"_credentialSecret": "new"}"#).unwrap();
        assert_eq!(made_secret(folder.path()).unwrap().as_deref(), Some("new"));
    }
}
