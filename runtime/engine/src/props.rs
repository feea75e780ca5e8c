//! Reading a node's configuration as leniently as Node-RED's nodes do: the editor writes `"60"`, `""` and leaves fields out.

use flotilla_flows::NodeConfig;

use flotilla_value::{Value, from_json};

/// A property as a value; undefined when it is not there.
pub fn value(config: &NodeConfig, name: &str) -> Value {
    config.get(name).map(from_json).unwrap_or_default()
}

/// `n.name || fallback` as text.
pub fn text(config: &NodeConfig, name: &str, fallback: &str) -> String {
    let value = value(config, name);
    if value.truthy() { value.to_text().to_string() } else { fallback.to_owned() }
}

/// JavaScript truthiness of a property.
pub fn flag(config: &NodeConfig, name: &str) -> bool {
    value(config, name).truthy()
}

/// `n.name === undefined ? fallback : n.name`, as a flag.
pub fn flag_or(config: &NodeConfig, name: &str, fallback: bool) -> bool {
    let value = value(config, name);
    if value.is_undefined() { fallback } else { value.truthy() }
}

/// `Number(n.name || 0)`; NaN for text that is no number.
pub fn number(config: &NodeConfig, name: &str) -> f64 {
    let value = value(config, name);
    if value.truthy() { value.to_number() } else { 0.0 }
}

/// `parseInt(text)`: the digits at the front.
pub fn parse_int(value: &Value) -> Option<i64> {
    let text = value.to_text();
    let text = text.trim_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number: i64 = digits[..end].parse().ok()?;
    Some(if text.starts_with('-') { -number } else { number })
}

/// The backslash sequences that text fields of edit dialogs take: `\n \r \t \e \f \0`.
///
/// JavaScript has no `\e`, so Node-RED makes an `e` of it; so does this.
pub fn unescape(text: &str) -> String {
    let pairs = [("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\e", "e"), ("\\f", "\u{c}"), ("\\0", "\0")];
    pairs.into_iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
