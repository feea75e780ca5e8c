//! Request headers: the flow's and the node's, with the case that they were written in.

use crate::header_hash;
use flotilla_value::{Object, Path, Value};

use flotilla_engine::props;

/// A row of the node's own header list.
pub(super) struct Row {
    key_type: String,
    key_value: String,
    value_type: String,
    value_value: String,
}

/// Headers in order; names compare without case.
#[derive(Clone, Default)]
pub(super) struct Headers(pub(super) Vec<(String, Value)>);

impl Row {
    /// The rows of the edit dialog.
    pub(super) fn read(list: &Value) -> Vec<Row> {
        let rows = list.as_array().unwrap_or_default().iter();
        rows.map(|row| {
            let text = |name: &str| row.get(name).to_text().to_string();
            Row {
                key_type: text("keyType"),
                key_value: text("keyValue"),
                value_type: text("valueType"),
                value_value: text("valueValue"),
            }
        })
        .collect()
    }
}

fn part(kind: &str, value: &str, msg: &Value) -> Value {
    match kind {
        "other" => Value::from(value),
        "msg" => Path::message(value).ok().and_then(|path| path.get(msg).ok()).unwrap_or_default(),
        fixed => Value::from(fixed),
    }
}

impl Headers {
    /// `msg.headers`, then the node's rows, which win.
    pub(super) fn collect(msg: &Value, rows: &[Row]) -> Headers {
        let mut headers = Headers::default();
        if let Value::Object(own) = msg.get("headers")
            && !header_hash::is_untouched(&own)
        {
            for (name, value) in own.iter().filter(|(name, _)| *name != header_hash::NAME) {
                headers.set(name, value.clone());
            }
        }
        for row in rows {
            let name = part(&row.key_type, &row.key_value, msg);
            if name.truthy() {
                headers.set(&name.to_text(), part(&row.value_type, &row.value_value, msg));
            }
        }
        headers
    }

    /// Sets a header; a value that is falsy removes it.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.remove(name);
        if value.truthy() {
            self.0.push((name.to_owned(), value));
        }
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(self.0.remove(at).1)
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_text().to_string())
    }
}

/// `responseCookies`: name, then the cookie's value and attributes.
pub(super) fn response_cookies<'a>(lines: impl Iterator<Item = &'a str>) -> Object {
    let mut cookies = Object::new();
    for line in lines {
        let Some((name, _)) = line.split_once('=') else { continue };
        let name = name.trim();
        if name.is_empty() || name.contains(';') {
            continue;
        }
        let mut parsed = flotilla_http::parse_cookies(line);
        let value = parsed.remove(name).unwrap_or_default();
        parsed.insert("value", value);
        cookies.insert(name, parsed);
    }
    cookies
}

/// The time-out: `msg.requestTimeout`, if it is one, else the node's. `Err` is the catalogue key of a warning.
pub(super) fn timeout(msg: &Value, fallback: f64) -> Result<f64, &'static str> {
    let own = msg.get("requestTimeout");
    let number = own.to_number();
    match own {
        Value::Undefined => Ok(fallback),
        _ if number.is_nan() => Err("httpin.errors.timeout-isnan"),
        _ if number < 1.0 => Err("httpin.errors.timeout-isnegative"),
        _ => Ok(number),
    }
}

/// `httpRequestTimeout` in milliseconds.
pub(super) fn default_timeout(setting: Option<&serde_json::Value>) -> f64 {
    let parsed = setting.map(flotilla_value::from_json).and_then(|value| props::parse_int(&value));
    parsed.filter(|ms| *ms > 0).map_or(120_000.0, |ms| ms as f64)
}
