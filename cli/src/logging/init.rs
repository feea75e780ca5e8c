//! Beginning to write log lines.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use clap::ValueEnum;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, registry};

use super::calm::Calm;
use super::lines::Lines;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Whether output has colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether lines have colours on standard error, and on standard output.
static COLOURS: OnceLock<(bool, bool)> = OnceLock::new();

impl Color {
    fn is_on(self, is_terminal: bool) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            // https://no-color.org: set and not empty.
            Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }
}

/// True when log lines on standard error have colours.
pub fn has_colours() -> bool {
    COLOURS.get().is_some_and(|(error, _)| *error)
}

/// The same of standard output.
pub fn stdout_has_colours() -> bool {
    COLOURS.get().is_some_and(|(_, output)| *output)
}

/// Begins to write log lines to standard error. `RUST_LOG` sets the levels; default `info`.
pub fn init(format: LogFormat, color: Color) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let on = || (color.is_on(std::io::stderr().is_terminal()), color.is_on(std::io::stdout().is_terminal()));
    let (colours, _) = *COLOURS.get_or_init(on);
    let lines = Lines { format, colours, calm: Calm::default() };
    // Already set up: only in tests.
    drop(registry().with(filter).with(lines).try_init());
}
