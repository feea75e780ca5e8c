//! Context that Node-RED kept in files, imported into the group's shared store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use flotilla_group::{context_imported, context_prefix};
use flotilla_store::{Cas, Expect, Store, Write};
use serde_json::{Map, Value};

/// Imports the folders once per group: a later start leaves the group's context as it is. A key that the group has already
/// stays. Answers how many keys were imported; `None` when it was done before.
pub async fn import(store: &Arc<dyn Store>, group: &str, folders: &[PathBuf]) -> anyhow::Result<Option<usize>> {
    if folders.is_empty() || store.get(&context_imported(group)).await?.is_some() {
        return Ok(None);
    }
    let mut count = 0;
    for folder in folders {
        for (scope, file) in files(folder)? {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let keys: Map<String, Value> =
                serde_json::from_str(&text).with_context(|| format!("{} is not a JSON object", file.display()))?;
            for (key, value) in keys {
                let full = format!("{}{scope}/{key}", context_prefix(group));
                let text = Bytes::from(value.to_string());
                if let Cas::Swapped(_) = store.cas(&full, Expect::Absent, Some(text), Write::default()).await? {
                    count += 1;
                }
            }
        }
    }
    store.set(&context_imported(group), Bytes::from_static(b"{}"), Write::default()).await?;
    Ok(Some(count))
}

/// The files of a folder with their scopes, as Node-RED's `localfilesystem` lays them out: `global/global.json`,
/// `FLOW/flow.json`, `FLOW/NODE.json`.
fn files(folder: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let entries = |at: &Path| -> anyhow::Result<Vec<PathBuf>> {
        let list = std::fs::read_dir(at).with_context(|| format!("cannot read {}", at.display()))?;
        let mut paths: Vec<PathBuf> = list.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
        paths.sort();
        Ok(paths)
    };
    for directory in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        let flow = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        for file in entries(&directory)? {
            let Some(stem) = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()) else { continue };
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let scope = match (flow.as_str(), stem.as_str()) {
                ("global", _) => "global".to_owned(),
                (_, "flow") => flow.clone(),
                (_, node) => format!("{node}:{flow}"),
            };
            found.push((scope, file));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn context_of_files_is_imported_once_and_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("context");
        for (name, text) in [
            ("global/global.json", r#"{"a": 1, "b": 2}"#),
            ("t1/flow.json", r#"{"n": [1]}"#),
            ("t1/f1.json", r#"{"x": "y"}"#),
        ] {
            let file = at.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        let store = flotilla_store::open(&format!("sqlite:{}", folder.path().join("s.db").display())).await.unwrap();
        let key = |name: &str| format!("{}{name}", context_prefix("g"));
        store.set(&key("global/b"), Bytes::from_static(b"9"), Write::default()).await.unwrap();
        let folders = [at];
        assert_eq!(import(&store, "g", &folders).await.unwrap(), Some(3));
        let mut values = Vec::new();
        for name in ["global/a", "global/b", "t1/n", "f1:t1/x"] {
            values.push(String::from_utf8(store.get(&key(name)).await.unwrap().unwrap().value.to_vec()).unwrap());
        }
        assert_eq!(values, ["1", "9", "[1]", "\"y\""]);
        store.set(&key("global/a"), Bytes::from_static(b"5"), Write::default()).await.unwrap();
        assert_eq!(import(&store, "g", &folders).await.unwrap(), None);
    }
}
