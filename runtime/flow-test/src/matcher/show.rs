//! Values for people.

use flotilla_value::{Value, stringify};

/// A longer value is cut: a report is read by people.
const LONGEST: usize = 400;

/// A value as JSON, as far as JSON can say it.
pub(crate) fn show(value: &Value) -> String {
    let text = match value {
        Value::Buffer(bytes) => format!("buffer of {} bytes {:?}", bytes.len(), String::from_utf8_lossy(bytes)),
        Value::Error(error) => format!("error {:?}", error.to_text()),
        other => stringify(other).ok().flatten().unwrap_or_else(|| other.to_text().to_string()),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}... ({} characters)", &text[..end], text.chars().count()),
        None => text,
    }
}
