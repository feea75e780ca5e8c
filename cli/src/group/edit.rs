//! Text in the user's editor.

use std::io::{Read as _, Seek as _, Write as _};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::exit::{Exit, Failure};

/// How a shell ends that does not find a command.
const NOT_FOUND: i32 = 127;

/// Opens text in `$VISUAL` or `$EDITOR` and answers what was saved. `flag`: what the calling command takes a file with.
///
/// # Errors
/// [`Exit::Unchanged`] when nothing was changed.
pub(crate) fn in_editor(text: &str, flag: &str) -> anyhow::Result<String> {
    let editor =
        ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok().filter(|set| !set.is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().context("cannot make a file to edit")?;
    file.write_all(text.as_bytes())?;
    // By the shell, as git does: $EDITOR may have arguments.
    let status = Command::new("sh").args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(file.path()).status();
    let advice = || format!("cannot start the editor {editor}; give {flag} FILE instead, or set EDITOR");
    let status = status.with_context(advice)?;
    ensure!(status.code() != Some(NOT_FOUND), advice());
    ensure!(status.success(), "the editor {editor} ended with {status}: nothing changed");
    let mut saved = String::new();
    let mut read = file.reopen()?;
    read.rewind()?;
    read.read_to_string(&mut saved)?;
    // Editors end the last line, also where the text did not.
    if saved.ends_with('\n') && !text.ends_with('\n') {
        saved.pop();
    }
    if saved == text {
        return Err(Failure::new(Exit::Unchanged, "nothing was changed").into());
    }
    Ok(saved)
}
