//! Text in the user's editor.

use std::io::{Read as _, Seek as _, Write as _};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::exit::{Exit, Failure};

/// Opens text in `$VISUAL` or `$EDITOR` and answers what was saved.
///
/// # Errors
/// [`Exit::Unchanged`] when nothing was changed.
pub(crate) fn in_editor(text: &str) -> anyhow::Result<String> {
    let editor =
        ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok().filter(|set| !set.is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().context("cannot make a file to edit")?;
    file.write_all(text.as_bytes())?;
    // By the shell, as git does: $EDITOR may have arguments.
    let status = Command::new("sh").args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(file.path()).status();
    let status = status.with_context(|| format!("cannot start the editor {editor}; give --file instead"))?;
    ensure!(status.success(), "the editor {editor} ended with {status}: nothing changed");
    let mut saved = String::new();
    let mut read = file.reopen()?;
    read.rewind()?;
    read.read_to_string(&mut saved)?;
    if saved == text {
        return Err(Failure::new(Exit::Unchanged, "nothing was changed").into());
    }
    Ok(saved)
}
