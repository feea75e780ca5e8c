//! The TOML file: what it says stands in for flags that were not given.
//!
//! A table per subcommand, keys named as the flags: `[up]`, `replicas = 5`. Flags win over `FLOTILLA_*` variables, and
//! those win over the file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Command;

/// Read when no `--config` names another.
const DEFAULT_FILE: &str = "flotilla.toml";

/// The file to read: `--config FILE`, `FLOTILLA_CONFIG`, or `flotilla.toml` here when it exists.
fn path_from(args: &[OsString]) -> Option<PathBuf> {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        if text == "--config" {
            return args.next().map(PathBuf::from);
        }
        if let Some(path) = text.strip_prefix("--config=") {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os("FLOTILLA_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists()))
}

/// Puts the file's values in as defaults of the subcommands' flags.
///
/// # Errors
/// When the file cannot be read or parsed, or names a subcommand or flag that does not exist.
pub fn apply(command: Command, args: &[OsString]) -> anyhow::Result<Command> {
    match path_from(args) {
        Some(path) => {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            apply_text(command, &text, &path)
        }
        None => Ok(command),
    }
}

fn apply_text(mut command: Command, text: &str, path: &Path) -> anyhow::Result<Command> {
    let tables: toml::Table = text.parse().with_context(|| format!("{} is not valid TOML", path.display()))?;
    for (name, table) in tables {
        let toml::Value::Table(values) = table else {
            bail!("{}: \"{name}\" is outside a table; put it below its subcommand, for example [up]", path.display());
        };
        if command.find_subcommand(&name).is_none() {
            bail!("{}: [{name}] is not a subcommand of flotilla", path.display());
        }
        for (key, value) in values {
            let known = |command: &Command| command.get_arguments().any(|arg| arg.get_long() == Some(key.as_str()));
            if !command.find_subcommand(&name).is_some_and(known) {
                bail!("{}: [{name}] has no setting \"{key}\"; see flotilla {name} --help", path.display());
            }
            let values = flatten(&value, path, &name, &key)?;
            command = command.mut_subcommand(&name, |sub| {
                let id = sub
                    .get_arguments()
                    .find(|arg| arg.get_long() == Some(key.as_str()))
                    .map(|arg| arg.get_id().clone());
                match id {
                    Some(id) => sub.mut_arg(id, |arg| arg.default_values(values)),
                    None => sub,
                }
            });
        }
    }
    Ok(command)
}

fn flatten(value: &toml::Value, path: &Path, table: &str, key: &str) -> anyhow::Result<Vec<String>> {
    Ok(match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Integer(number) => vec![number.to_string()],
        toml::Value::Float(number) => vec![number.to_string()],
        toml::Value::Boolean(flag) => vec![flag.to_string()],
        toml::Value::Array(items) => {
            let parts: anyhow::Result<Vec<_>> = items.iter().map(|item| flatten(item, path, table, key)).collect();
            parts?.concat()
        }
        other => bail!("{}: [{table}] {key} cannot be a {}", path.display(), other.type_str()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgMatches};

    fn command() -> Command {
        let arg = |name: &'static str| Arg::new(name).long(name);
        Command::new("flotilla")
            .subcommand(Command::new("up").arg(arg("mqtt").env("FLOTILLA_TEST_UNSET")).arg(arg("http")))
    }

    fn parse(toml: &str, args: &[&str]) -> anyhow::Result<ArgMatches> {
        let command = apply_text(command(), toml, Path::new("f.toml"))?;
        let matches = command.get_matches_from(["flotilla", "up"].iter().chain(args));
        Ok(matches.subcommand().map(|(_, sub)| sub.clone()).unwrap_or_default())
    }

    #[test]
    fn the_file_stands_in_for_flags_and_flags_win() {
        let matches = parse("[up]\nmqtt = \"a:1\"\nhttp = \"b:2\"", &["--http", "c:3"]).unwrap();
        assert_eq!(matches.get_one::<String>("mqtt").unwrap(), "a:1");
        assert_eq!(matches.get_one::<String>("http").unwrap(), "c:3");
    }

    #[test]
    fn unknown_tables_and_keys_are_named() {
        assert!(parse("[upp]\nx = 1", &[]).unwrap_err().to_string().contains("[upp] is not a subcommand"));
        assert!(parse("[up]\nmqqt = 1", &[]).unwrap_err().to_string().contains("no setting \"mqqt\""));
        assert!(parse("x = 1", &[]).unwrap_err().to_string().contains("outside a table"));
    }
}
