//! The node's configuration.

use std::time::Duration;

use flotilla_flows::NodeConfig;

use crate::tcp::gather::{Cut, Datatype};
use crate::tcp::target::Secure;
use flotilla_engine::props;
use flotilla_engine::{NodeCx, NodeError};
use flotilla_value::{Value, string_to_number};

/// When the answer is complete.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Until {
    /// So long after its first byte.
    Time(Duration),
    /// At once: the connection is closed when the message is sent, and nobody answers.
    Sent,
    /// At so many bytes.
    Count(usize),
    /// At this byte; `None`: a separator that no byte is, so never.
    Byte(Option<u8>),
    /// Never: the connection stays, and whatever comes is a message.
    Forever,
}

/// What the edit dialog says.
pub(super) struct Config {
    /// Empty: the message's `host`.
    pub(super) server: String,
    /// 0: the message's `port`.
    pub(super) port: f64,
    pub(super) until: Until,
    /// Payloads are text, not buffers.
    pub(super) text: bool,
    /// Of connections that stay.
    pub(super) cut: Cut,
    pub(super) secure: Option<Secure>,
}

/// Node-RED's reading of a separator: `\n`-like escapes, `0x0a`, or a character.
fn separator(splitc: &Value) -> Option<u8> {
    let number = match splitc {
        Value::String(text) => {
            let escapes = [("\\n", 10), ("\\r", 13), ("\\t", 9), ("\\e", 27), ("\\f", 12), ("\\0", 0)];
            if let Some((_, byte)) = escapes.iter().find(|(escape, _)| text.starts_with(escape)) {
                f64::from(*byte)
            } else if text.starts_with("0x") {
                string_to_number(text)
            } else {
                text.encode_utf16().next().map_or(f64::NAN, f64::from)
            }
        }
        other => other.to_number(),
    };
    (number.fract() == 0.0 && (0.0..256.0).contains(&number)).then_some(number as u8)
}

fn until(config: &NodeConfig) -> Until {
    let splitc = props::value(config, "splitc");
    let number = splitc.to_number();
    match config.str("out") {
        "immed" => Until::Sent,
        "time" if number < 0.0 => Until::Sent,
        "time" => Until::Time(flotilla_value::wait_ms(number.max(1.0))),
        // Node-RED waits for the first byte when it does not know how many.
        "count" => Until::Count(if number >= 1.0 { number as usize } else { 1 }),
        "sit" => Until::Forever,
        _ => Until::Byte(separator(&splitc)),
    }
}

impl Config {
    pub(super) fn of(cx: &NodeCx) -> Result<Config, NodeError> {
        let config = cx.config();
        let text = config.str("ret") == "string";
        let separator = config.str("newline").replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t");
        let port = props::value(config, "port");
        Ok(Config {
            server: props::text(config, "server", ""),
            port: if port.truthy() { port.to_number() } else { 0.0 },
            until: until(config),
            text,
            cut: Cut {
                stream: true,
                datatype: if text { Datatype::Utf8 } else { Datatype::Buffer },
                separator: separator.into_bytes(),
                keep_separator: props::flag(config, "trim"),
            },
            secure: Secure::of(cx)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_read_as_node_red_does() {
        for (text, byte) in
            [("\\n", Some(10)), ("\\0", Some(0)), ("0x0D", Some(13)), ("x", Some(b'x')), ("\u{e9}", Some(233))]
        {
            assert_eq!(separator(&Value::from(text)), byte, "{text}");
        }
        assert_eq!(separator(&Value::from("\u{20ac}")), None);
        assert_eq!(separator(&Value::from("")), None);
        assert_eq!(separator(&Value::from(65.0)), Some(65));
    }
}
