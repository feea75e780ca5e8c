//! The command line.

use std::process::Stdio;

use tokio::process::Command;

use flotilla_engine::settings::{Settings, is_own};

/// The words of a line as the node runs them without a shell: cut at white space that is not in double quotes. A word
/// that is quoted as a whole loses its quotes; a quote without its pair is left out.
pub(super) fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        if c == '"'
            && let Some(end) = tail.find('"')
        {
            word.push_str(&rest[..end + 2]);
            rest = &tail[end + 1..];
        } else if c == '"' || c.is_whitespace() {
            words.extend(finish(&mut word));
            rest = tail;
        } else {
            word.push(c);
            rest = tail;
        }
    }
    words.extend(finish(&mut word));
    words
}

fn finish(word: &mut String) -> Option<String> {
    let word = std::mem::take(word);
    let inner = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
    if word.is_empty() { None } else { Some(inner.map_or_else(|| word.clone(), str::to_owned)) }
}

/// A command line for the shell: bash where there is one, as in Node-RED.
pub(super) fn shell(line: &str, settings: &Settings) -> Command {
    let shell = if std::path::Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };
    prepared(shell, &["-c".to_owned(), line.to_owned()], settings)
}

/// A program and its arguments.
pub(super) fn program(name: &str, arguments: &[String], settings: &Settings) -> Command {
    prepared(name, arguments, settings)
}

fn prepared(name: &str, arguments: &[String], settings: &Settings) -> Command {
    let mut command = Command::new(name);
    // Its input stays open and empty, as Node.js leaves it.
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_own)) {
        command.env_remove(name);
    }
    for (name, value) in &settings.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_into_words() {
        assert_eq!(words(r#"a  "b c" d"e f"g "h"#), ["a", "b c", r#"d"e f"g"#, "h"]);
        assert_eq!(words(r#" "" x" "#), ["", "x"]);
        assert!(words("  ").is_empty());
    }
}
