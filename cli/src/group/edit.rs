//! Text in the user's editor.

use std::io::{Read as _, Seek as _, Write as _};
use std::process::Command;

use anyhow::{Context, ensure};
use flotilla_api::ClientError;

use crate::client::is_changed_meanwhile;
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

/// Why a change that was typed in the editor was not made: keeps what was typed in a file and says where. `thing`: what was
/// edited; `show` and `again`: the commands that show it and that take a file.
pub(crate) fn not_made(text: &str, error: anyhow::Error, thing: &str, show: &str, again: &str) -> anyhow::Error {
    let kept = match keep(text) {
        Ok(path) => path,
        Err(failed) => return error.context(format!("what you typed could not be kept: {failed:#}")),
    };
    if error.chain().any(|cause| cause.downcast_ref::<ClientError>().is_some_and(is_changed_meanwhile)) {
        let why = format!(
            "{thing} was changed by somebody else while you edited it, so nothing of yours was written. What you typed is in \
             {kept}: compare it with what `{show}` shows now, then give it with `{again} {kept}`"
        );
        return Failure::new(Exit::Refused, why).into();
    }
    error.context(format!("{thing} was not changed; what you typed is in {kept}: to try again, run `{again} {kept}`"))
}

/// Keeps text in a file that only its owner can read, and answers where.
fn keep(text: &str) -> anyhow::Result<String> {
    let mut file = tempfile::Builder::new().prefix("flotilla-edit-").suffix(".json").tempfile()?;
    file.write_all(text.as_bytes())?;
    let (_, path) = file.keep()?;
    Ok(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use flotilla_api::Problem;

    use super::*;

    #[test]
    fn what_was_typed_is_kept_whatever_refuses_it() {
        for (status, code, exit) in [
            (412, "changed_meanwhile", Exit::Refused),
            (400, "bad_rules", Exit::Refused),
            (404, "no_such_group", Exit::NotFound),
        ] {
            let refused = ClientError::Refused(Problem::new(status, code, "no"));
            let error = not_made("what I typed", refused.into(), "group \"g\"", "show g", "edit g --file");
            let said = format!("{error:#}");
            assert_eq!(Exit::of(&error), exit, "{said}");
            let path = said.split_once("edit g --file ").unwrap().1.split('`').next().unwrap();
            assert_eq!(std::fs::read_to_string(path).unwrap(), "what I typed", "{said}");
            std::fs::remove_file(path).unwrap();
            assert_eq!(code == "changed_meanwhile", said.contains("by somebody else"), "{said}");
        }
    }
}
