//! Beginning to write log lines.

use std::fmt;
use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{self, Writer};

use super::calm::Calm;
use crate::plain;

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

impl Color {
    fn is_on(self) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            // https://no-color.org: set and not empty.
            Color::Auto => {
                std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }
}

/// Begins to write log lines to standard error. `RUST_LOG` sets the levels; default `info`.
pub fn init(format: LogFormat, color: Color) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(color.is_on()).with_writer(std::io::stderr);
    let done = match format {
        LogFormat::Text => builder
            .event_format(Calm::text(format::format().with_target(false).compact()))
            .fmt_fields(format::debug_fn(plain_field).delimited(" "))
            .try_init(),
        LogFormat::Json => builder
            .fmt_fields(format::JsonFields::new())
            .event_format(Calm::json(format::format().json().flatten_event(true)))
            .try_init(),
    };
    // Already set up: only in tests.
    drop(done);
}

/// A field of a line: what came from outside begins no line of its own, and moves no cursor.
fn plain_field(to: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = format!("{value:?}");
    match field.name() {
        "message" => write!(to, "{}", plain::one_line(&value)),
        name => write!(to, "{name}={}", plain::one_line(&value)),
    }
}
