//! A folder with a flow document that was split into files.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use flotilla_flows::{SPLIT_MANIFEST, SplitFile};

/// Where the files are, below the folder.
const PLACES: [&str; 3] = ["", "tabs", "subflows"];

/// The files of a folder. What is in it besides counts for nothing.
pub fn read(folder: &Path) -> anyhow::Result<Vec<SplitFile>> {
    let mut files = Vec::new();
    for place in PLACES {
        let inner = folder.join(place);
        if !place.is_empty() && !inner.is_dir() {
            continue;
        }
        let entries = std::fs::read_dir(&inner).with_context(|| format!("cannot read {}", inner.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", inner.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.strip_suffix(".json").is_none() || !entry.path().is_file() {
                continue;
            }
            let text = std::fs::read_to_string(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            let slash = if place.is_empty() { "" } else { "/" };
            files.push(SplitFile { path: format!("{place}{slash}{name}"), text });
        }
    }
    Ok(files)
}

/// Writes the files; those of tabs and subflows that are no more are removed. Answers what was written and removed.
pub fn write(folder: &Path, files: &[SplitFile]) -> anyhow::Result<(usize, usize)> {
    let ours = folder.join(SPLIT_MANIFEST).is_file();
    if !ours && PLACES[1..].iter().any(|place| folder.join(place).is_dir()) {
        bail!(
            "{} has a folder tabs or subflows but no {SPLIT_MANIFEST}, so Flotilla did not write it: choose another folder",
            folder.display()
        );
    }
    let mut wrote = 0;
    for file in files {
        let path = folder.join(&file.path);
        if std::fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        std::fs::write(&path, &file.text).with_context(|| format!("cannot write {}", path.display()))?;
        wrote += 1;
    }
    let stay: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut removed = 0;
    let optional = |path: &str| path.contains('/') || matches!(path, "order.json" | "global.json");
    for file in read(folder)?.iter().filter(|file| ours && optional(&file.path) && !stay.contains(&*file.path)) {
        let path = folder.join(&file.path);
        std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        removed += 1;
    }
    Ok((wrote, removed))
}
