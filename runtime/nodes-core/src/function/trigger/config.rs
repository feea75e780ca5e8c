//! Reading a trigger node's configuration.

use flotilla_flows::NodeConfig;

use crate::function::rbe::parse_float;
use flotilla_engine::expression::{ExpressionError, Template, Typed};
use flotilla_engine::props;
use flotilla_value::{Path, Value};

/// What a trigger sends.
pub(super) enum Output {
    Nothing,
    /// The message's payload as it came.
    Payload,
    /// The last message, whole.
    LastMessage,
    Template(Template),
    /// Read when the message comes; `late`: read again when it is sent.
    Value {
        typed: Typed,
        late: bool,
    },
    /// The time when it is sent.
    Date(Typed),
}

/// A trigger node's configuration.
pub(super) struct Config {
    pub(super) first: Output,
    pub(super) second: Output,
    pub(super) by_topic: bool,
    pub(super) topic: Path,
    /// The second message leaves by the second output.
    pub(super) second_output: bool,
    pub(super) extend: bool,
    pub(super) repeat: bool,
    pub(super) override_delay: bool,
    /// A payload with this text resets.
    pub(super) reset: String,
    /// In milliseconds; 0 is until reset.
    pub(super) delay: f64,
}

fn output(config: &NodeConfig, which: &str, default: &str) -> Result<Output, ExpressionError> {
    let value = props::value(config, which);
    let value = if value.truthy() { value } else { Value::from(default) };
    let kind = props::text(config, &format!("{which}type"), "str");
    let text = value.to_text();
    Ok(match (kind.as_str(), text.as_str()) {
        ("nul", _) => Output::Nothing,
        ("pay", _) => Output::Payload,
        ("payl", _) => Output::LastMessage,
        ("val", "true" | "false") => Output::Value { typed: Typed::prepare("bool", &value)?, late: false },
        ("val", "null") => Output::Value { typed: Typed::fixed(Value::Null), late: false },
        ("str" | "val", text) if text.contains("{{") => Output::Template(Template::parse(text)?),
        ("val", _) => Output::Value { typed: Typed::prepare("str", &value)?, late: false },
        ("date", text) => {
            let format = if text == default { Value::from("") } else { value.clone() };
            Output::Date(Typed::prepare("date", &format)?)
        }
        (kind, _) => Output::Value { typed: Typed::prepare(kind, &value)?, late: matches!(kind, "flow" | "global") },
    })
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// When an expression or template cannot be parsed.
    pub(super) fn read(config: &NodeConfig) -> Result<Config, ExpressionError> {
        let duration = parse_float(&props::value(config, "duration"));
        let duration = if duration.is_nan() { 250.0 } else { duration };
        let unit = match config.str("units") {
            "s" => 1000.0,
            "min" => 60_000.0,
            "hr" => 3_600_000.0,
            _ => 1.0,
        };
        // The editor stores "resend it every" as a negative duration, a text such as "-30".
        let repeat = duration < 0.0;
        Ok(Config {
            first: output(config, "op1", "1")?,
            second: output(config, "op2", "0")?,
            by_topic: props::text(config, "bytopic", "all") != "all",
            topic: Path::message(&props::text(config, "topic", "topic"))?,
            second_output: props::value(config, "outputs").to_text() == "2",
            extend: !repeat && config.bool("extend"),
            repeat,
            override_delay: props::flag(config, "overrideDelay"),
            reset: props::text(config, "reset", ""),
            delay: duration.abs() * unit,
        })
    }
}
