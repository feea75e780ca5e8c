//! The lock file: which packages are there, and that each is what the registry had.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// A package that was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    /// Below the folder: `node_modules/moment`.
    pub(super) path: String,
    pub(super) version: String,
    /// A hash of it is kept.
    pub(super) is_locked: bool,
    /// It wants to run a script, most often to compile native code.
    pub(super) has_script: bool,
}

/// The packages of a lock file, in its order.
pub(super) fn packages(folder: &Path) -> anyhow::Result<Vec<Package>> {
    let path = folder.join("package-lock.json");
    let read = || anyhow::Ok(serde_json::from_slice::<Value>(&std::fs::read(&path)?)?);
    let lock = read().with_context(|| format!("cannot read the lock file that npm wrote: {}", path.display()))?;
    let all = lock["packages"].as_object().into_iter().flatten();
    let package = |(path, entry): (&String, &Value)| Package {
        path: path.clone(),
        version: entry["version"].as_str().unwrap_or_default().to_owned(),
        // What came inside of another package is covered by that one's hash.
        is_locked: entry["inBundle"] == true
            || entry["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")),
        has_script: entry["hasInstallScript"] == true,
    };
    Ok(all.filter(|(path, _)| !path.is_empty()).map(package).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_without_a_hash_and_with_scripts_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let lock = serde_json::json!({"lockfileVersion": 3, "packages": {"": {"name": "x"},
            "node_modules/a": {"version": "1.0.0", "integrity": "sha512-x"},
            "node_modules/a/node_modules/c": {"version": "1.0.0", "inBundle": true},
            "node_modules/b": {"version": "2.0.0", "resolved": "git+ssh://somewhere", "hasInstallScript": true}}});
        std::fs::write(folder.path().join("package-lock.json"), lock.to_string()).unwrap();
        let found = packages(folder.path()).unwrap();
        assert_eq!(found.len(), 3);
        assert!(found[0].is_locked && !found[0].has_script && found[0].version == "1.0.0");
        assert!(found[1].is_locked, "the package around it has a hash");
        assert!(!found[2].is_locked && found[2].has_script);
        assert!(packages(&folder.path().join("none")).is_err());
    }
}
