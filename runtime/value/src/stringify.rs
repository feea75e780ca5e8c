//! `JSON.stringify`.

use super::object::Object;
use super::types::Value;

/// Deeper than this a value is taken to be damaged or hostile.
const MAX_DEPTH: usize = 512;

/// Why a value cannot be written as JSON.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StringifyError {
    /// JavaScript's own words for a cycle.
    #[error("Converting circular structure to JSON")]
    Circular,
    /// JavaScript's own words for a BigInt.
    #[error("Do not know how to serialize a BigInt")]
    BigInt,
    /// Nested too deeply.
    #[error("value is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// `JSON.stringify(value)`; `None` where JavaScript answers `undefined`.
///
/// ```
/// use bytes::Bytes;
/// use flotilla_value::{Value, parse_json, stringify};
///
/// // Properties keep JavaScript's order: whole numbers first.
/// let value = parse_json(br#"{"b":1e21,"2":true,"1":null}"#).unwrap();
/// assert_eq!(stringify(&value).unwrap().unwrap(), r#"{"1":null,"2":true,"b":1e+21}"#);
/// let buffer = Value::Buffer(Bytes::from_static(b"ab"));
/// assert_eq!(stringify(&buffer).unwrap().unwrap(), r#"{"type":"Buffer","data":[97,98]}"#);
/// assert_eq!(stringify(&Value::Undefined).unwrap(), None);
/// ```
pub fn stringify(value: &Value) -> Result<Option<String>, StringifyError> {
    stringify_pretty(value, 0)
}

/// `JSON.stringify(value, null, indent)`; `None` where JavaScript answers `undefined`.
pub fn stringify_pretty(value: &Value, indent: usize) -> Result<Option<String>, StringifyError> {
    let mut writer = Writer { out: String::with_capacity(128), indent };
    Ok(writer.value(value, 0)?.then_some(writer.out))
}

/// An ISO 8601 date as `Date.prototype.toISOString` writes it; `None` for an invalid date.
pub fn date_to_iso(ms: f64) -> Option<String> {
    if !ms.is_finite() || ms.abs() > 8.64e15 {
        return None;
    }
    let ms = ms as i64;
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Days to civil date: Howard Hinnant's algorithm, eras of 400 years.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{}{:06}", if year < 0 { '-' } else { '+' }, year.abs()),
    };
    let (hours, minutes, seconds, millis) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    Some(format!("{year}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z"))
}

struct Writer {
    out: String,
    indent: usize,
}

impl Writer {
    /// Writes a value; false when JSON leaves it out (undefined, functions).
    fn value(&mut self, value: &Value, depth: usize) -> Result<bool, StringifyError> {
        if depth > MAX_DEPTH {
            return Err(StringifyError::TooDeep);
        }
        match value {
            Value::Undefined | Value::Function(_) => return Ok(false),
            Value::Null => self.out.push_str("null"),
            Value::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Value::Number(number) if number.is_finite() => {
                self.out.push_str(ryu_js::Buffer::new().format_finite(*number));
            }
            Value::Number(_) => self.out.push_str("null"),
            Value::BigInt(_) => return Err(StringifyError::BigInt),
            Value::String(text) => self.string(text),
            Value::Date(ms) => match date_to_iso(*ms) {
                Some(text) => self.string(&text),
                None => self.out.push_str("null"),
            },
            // Node.js: Buffer.prototype.toJSON
            Value::Buffer(bytes) => {
                let data = bytes.iter().map(|byte| Value::Number(f64::from(*byte))).collect();
                let object = [("type", Value::from("Buffer")), ("data", Value::array(data))].into_iter().collect();
                self.object(&object, depth)?;
            }
            Value::Typed(_) => {
                let text = value.to_text();
                let parts = text.split(',').filter(|part| !part.is_empty()).enumerate();
                let object: Object =
                    parts.map(|(at, part)| (at.to_string(), super::number::string_to_number(part))).collect();
                self.object(&object, depth)?;
            }
            Value::Error(error) => self.object(&error.props, depth)?,
            Value::Array(items) => self.array(items, depth)?,
            Value::Object(object) => self.object(object, depth)?,
            Value::RegExp(_) | Value::Map(_) | Value::Set(_) => self.out.push_str("{}"),
            Value::Circular(_) => return Err(StringifyError::Circular),
            Value::Host(host) => {
                let object: Object = host.keys().into_iter().map(|key| (key.clone(), host.get(&key))).collect();
                self.object(&object, depth)?;
            }
        }
        Ok(true)
    }

    fn array(&mut self, items: &[Value], depth: usize) -> Result<(), StringifyError> {
        self.out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            if !self.value(item, depth + 1)? {
                self.out.push_str("null");
            }
        }
        if !items.is_empty() {
            self.line(depth);
        }
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self, object: &Object, depth: usize) -> Result<(), StringifyError> {
        self.out.push('{');
        let mut first = true;
        for (key, value) in object.iter() {
            if matches!(value, Value::Undefined | Value::Function(_)) {
                continue;
            }
            if !first {
                self.out.push(',');
            }
            first = false;
            self.line(depth + 1);
            self.string(key);
            self.out.push_str(if self.indent > 0 { ": " } else { ":" });
            self.value(value, depth + 1)?;
        }
        if !first {
            self.line(depth);
        }
        self.out.push('}');
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if self.indent > 0 {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', self.indent * depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escape = match byte {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                b'\t' => "\\t",
                0x08 => "\\b",
                0x0c => "\\f",
                0..=0x1f => "",
                _ => continue,
            };
            self.out.push_str(&text[from..at]);
            if escape.is_empty() {
                self.out.push_str(&format!("\\u{byte:04x}"));
            } else {
                self.out.push_str(escape);
            }
            from = at + 1;
        }
        self.out.push_str(&text[from..]);
        self.out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_iso() {
        assert_eq!(date_to_iso(0.0).unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(date_to_iso(1_709_210_096_789.0).unwrap(), "2024-02-29T12:34:56.789Z");
        assert_eq!(date_to_iso(-1.0).unwrap(), "1969-12-31T23:59:59.999Z");
        assert_eq!(date_to_iso(f64::NAN), None);
    }

    #[test]
    fn leaves_out_what_json_cannot_say() {
        let value = Value::array(vec![Value::Undefined, Value::Number(f64::NAN)]);
        assert_eq!(stringify(&value).unwrap().unwrap(), "[null,null]");
        assert_eq!(stringify(&Value::Undefined).unwrap(), None);
        assert_eq!(stringify(&Value::Circular(1)), Err(StringifyError::Circular));
    }

    #[test]
    fn indents() {
        let value: Object =
            [("a", Value::array(vec![Value::Number(1.0)])), ("b", Value::object())].into_iter().collect();
        assert_eq!(stringify_pretty(&value.into(), 2).unwrap().unwrap(), "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}");
    }
}
