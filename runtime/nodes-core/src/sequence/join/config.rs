//! The join node's configuration.

use std::time::Duration;

use flotilla_engine::props;
use flotilla_engine::{NodeCx, NodeError};
use flotilla_value::{Path, Str, Value, parse_json};

/// How messages are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As `msg.parts` says.
    Auto,
    /// As the node says.
    Custom,
    /// By an expression.
    Reduce,
}

/// What is made of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Build {
    /// An array.
    Array,
    /// A string.
    String,
    /// A buffer.
    Buffer,
    /// An object with the parts under their keys.
    Object,
    /// An object with the properties of all parts.
    Merged,
}

/// The configuration.
pub(super) struct Config {
    pub(super) mode: Mode,
    pub(super) build: Build,
    /// The property that is joined; in custom mode `None` is the whole message.
    pub(super) property: Option<Path>,
    /// Its text, for warnings and for where the result goes.
    pub(super) property_name: String,
    pub(super) key: Path,
    pub(super) key_name: String,
    pub(super) timeout: Option<Duration>,
    pub(super) count: f64,
    /// The count field was left empty: `msg.parts` may give the count and the group.
    pub(super) count_from_parts: bool,
    pub(super) joiner: Value,
    pub(super) use_parts: bool,
    /// Every message after the first complete group gives a result, too.
    pub(super) accumulate: bool,
}

impl Build {
    /// By the name in edit dialogs and `msg.parts.type`.
    pub(super) fn named(name: &str) -> Build {
        match name {
            "string" => Build::String,
            "buffer" => Build::Buffer,
            "object" => Build::Object,
            "merged" => Build::Merged,
            _ => Build::Array,
        }
    }
}

impl Config {
    /// Reads the node's configuration.
    pub(super) fn new(cx: &NodeCx) -> Result<Config, NodeError> {
        let config = cx.config();
        let path = |text: &str| Path::message(text).map_err(|error| NodeError::new(error.to_string()));
        let mode = match props::text(config, "mode", "auto").as_str() {
            "custom" => Mode::Custom,
            "reduce" => Mode::Reduce,
            _ => Mode::Auto,
        };
        let full = props::text(config, "propertyType", "msg") == "full";
        let property_name = if full { "payload".to_owned() } else { props::text(config, "property", "payload") };
        let key_name = props::text(config, "key", "topic");
        let seconds = if mode == Mode::Auto { 0.0 } else { props::number(config, "timeout") };
        let joiner = props::text(config, "joiner", "");
        let joiner = match props::text(config, "joinerType", "str").as_str() {
            "bin" => {
                let list = parse_json(if joiner.is_empty() { b"[]" } else { joiner.as_bytes() });
                match list {
                    Ok(list @ Value::Array(_)) => list,
                    Ok(_) => return Err(NodeError::new("not an array")),
                    Err(error) => return Err(NodeError::new(error.to_string())),
                }
            }
            _ => Value::String(Str::from(props::unescape(&joiner))),
        };
        Ok(Config {
            mode,
            build: Build::named(&props::text(config, "build", "array")),
            property: if full { None } else { Some(path(&property_name)?) },
            property_name,
            key: path(&key_name)?,
            key_name,
            timeout: (seconds > 0.0).then(|| flotilla_value::wait_seconds(seconds)),
            count: props::number(config, "count"),
            count_from_parts: props::value(config, "count").as_str() == Some(""),
            joiner,
            use_parts: props::flag_or(config, "useparts", true),
            accumulate: props::value(config, "accumulate") == Value::Bool(true),
        })
    }
}
