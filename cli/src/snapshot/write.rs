//! Exported files on disk.

use std::path::Path;

use anyhow::Context;
use flotilla_api::snapshot::Exported;
use serde_json::Value;

use crate::exit::{Exit, Failure};

/// Writes a single file to `output` or standard output, and several into the folder `output`.
pub(super) fn write(exported: &Exported, output: Option<&Path>) -> anyhow::Result<()> {
    if let Some(content) = exported.files.get("-") {
        return match output {
            Some(path) => file(path, content),
            None => {
                use std::io::Write;
                // JSON escapes control characters itself.
                drop(std::io::stdout().write_all(text(content).as_bytes()));
                Ok(())
            }
        };
    }
    let folder =
        output.ok_or_else(|| Failure::new(Exit::Usage, "--as userdir writes a folder: name it with --output"))?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, content) in &exported.files {
        if name.contains(['/', '\\']) || name.starts_with('.') {
            anyhow::bail!("the admin API sent a file name that leads out of the folder: {name}");
        }
        file(&folder.join(name), content)?;
    }
    Ok(())
}

fn file(path: &Path, content: &Value) -> anyhow::Result<()> {
    std::fs::write(path, text(content)).with_context(|| format!("cannot write {}", path.display()))
}

fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        other => format!("{other:#}\n"),
    }
}
