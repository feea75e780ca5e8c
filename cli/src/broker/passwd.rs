//! `flotilla broker passwd`: sets and removes users in a file for `--users`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::exit::{Exit, Failure};
use crate::password;
use crate::plain::print;

/// Sets a user's password. It is asked for at a terminal, or read as the first line of standard input.
#[derive(Args, Clone, Debug)]
pub struct PasswdArgs {
    /// File of name:hash lines; created if missing
    file: PathBuf,
    /// Name of the user
    user: String,
    /// Remove the user
    #[arg(long)]
    delete: bool,
}

/// Writes the file anew; the broker reads it when it starts.
pub fn run(args: &PasswdArgs) -> anyhow::Result<ExitCode> {
    let PasswdArgs { file, user, delete } = args;
    if user.is_empty() || user.trim() != user || user.contains([':', '\n', '\r']) || user.starts_with('#') {
        let message = format!(
            "USER {user:?}: a name must not be empty, contain a colon or a line break, begin or end with a space, or begin with #"
        );
        return Err(Failure::new(Exit::Usage, message).into());
    }
    let before = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let hash = if *delete {
        None
    } else {
        Some(flotilla_broker::hash_password(&password::new(&format!("Password of {user}: "))?)?)
    };
    let (text, known) = changed(&before, user, hash.as_deref());
    if *delete && !known {
        return Err(Failure::new(Exit::NotFound, format!("{} has no user {user:?}", file.display())).into());
    }
    replace(file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    let what = match (delete, known) {
        (true, _) => "is removed from",
        (false, true) => "has a new password in",
        (false, false) => "is added to",
    };
    print(&format!("{user} {what} {}; a broker reads it when it starts\n", file.display()));
    Ok(ExitCode::SUCCESS)
}

/// The file with the user's line set or removed, everything else as it was; and whether the user was there.
fn changed(before: &str, user: &str, hash: Option<&str>) -> (String, bool) {
    let line = hash.map(|hash| format!("{user}:{hash}"));
    let mut known = false;
    let mut lines: Vec<&str> = Vec::new();
    for old in before.lines() {
        if old.trim_start().split_once(':').is_none_or(|(name, _)| name != user) {
            lines.push(old);
        } else {
            if !known {
                lines.extend(line.as_deref());
            }
            known = true;
        }
    }
    if !known {
        lines.extend(line.as_deref());
    }
    (lines.iter().flat_map(|line| [*line, "\n"]).collect(), known)
}

/// Beside its place and then moved there, readable by its owner only: a broker that starts meanwhile reads a whole file.
fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    if let Ok(meta) = std::fs::metadata(file) {
        // It may be readable by the broker's group: that stays.
        new.as_file().set_permissions(meta.permissions())?;
    }
    new.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_line_changes_and_all_others_stay() {
        let file = "# plant\nann:h1\nbob:h2\n";
        assert_eq!(changed(file, "bob", Some("h3")), ("# plant\nann:h1\nbob:h3\n".to_owned(), true));
        assert_eq!(changed(file, "bo", Some("h3")), ("# plant\nann:h1\nbob:h2\nbo:h3\n".to_owned(), false));
        assert_eq!(changed(file, "ann", None), ("# plant\nbob:h2\n".to_owned(), true));
        assert_eq!(changed("ann:h1", "bob", Some("h2")), ("ann:h1\nbob:h2\n".to_owned(), false));
    }
}
