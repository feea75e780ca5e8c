//! Passwords, asked for at a terminal or read as the first line of standard input: never an argument, which `ps` shows.

use std::io::IsTerminal as _;

use anyhow::Context;

use crate::exit::{Exit, Failure};

/// A new password, asked for twice at a terminal.
pub fn new(prompt: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return line();
    }
    let password = ask(prompt)?;
    if password != ask("Once more: ")? {
        return Err(Failure::new(Exit::Usage, "the two passwords differ: nothing changed").into());
    }
    checked(password)
}

/// A password that is there already.
pub fn known(prompt: &str) -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() { checked(ask(prompt)?) } else { line() }
}

fn ask(prompt: &str) -> anyhow::Result<String> {
    rpassword::prompt_password(prompt).context("cannot read a password")
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read a password from standard input")?;
    checked(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn checked(password: String) -> anyhow::Result<String> {
    if password.is_empty() {
        let why = "the password is empty: give one at the prompt or as a line of standard input";
        return Err(Failure::new(Exit::Usage, why).into());
    }
    Ok(password)
}
