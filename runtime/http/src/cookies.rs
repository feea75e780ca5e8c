//! Cookies: the request's, and `Set-Cookie` lines as Express writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::percent_decode_str;

use flotilla_value::{Object, Value};

use super::query::encode_component;

/// The beginning of the year 10,000, which HTTP dates cannot write (RFC 9110, 5.6.7).
const YEAR_10000_MS: f64 = 253_402_300_800_000.0;

/// The cookies of a `Cookie` header: names and decoded values; the first of a name counts.
pub fn parse_cookies(header: &str) -> Object {
    let mut cookies = Object::new();
    for pair in header.split(';') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        let (name, value) = (name.trim(), value.trim());
        let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
        if cookies.contains_key(name) {
            continue;
        }
        let text = percent_decode_str(value).decode_utf8().map_or_else(|_| value.into(), std::borrow::Cow::into_owned);
        // Express: `j:` marks a value that was an object.
        let json = text.strip_prefix("j:").and_then(|json| flotilla_value::parse_json(json.as_bytes()).ok());
        cookies.insert(name, json.unwrap_or_else(|| Value::from(text)));
    }
    cookies
}

/// A `Set-Cookie` line as `res.cookie(name, value, options)` makes it. Options: `maxAge` (ms), `expires` (date),
/// `domain`, `path` (default `/`), `httpOnly`, `secure`, `sameSite`, `priority`, `partitioned`, `encode` (false: as it is).
pub fn serialize_cookie(name: &str, value: &Value, options: &Value) -> String {
    let text = match value {
        Value::Object(_) | Value::Array(_) => {
            format!("j:{}", flotilla_value::stringify(value).ok().flatten().unwrap_or_default())
        }
        value => value.to_text().to_string(),
    };
    let text = if options.get("encode") == Value::Bool(false) { text } else { encode_component(&text) };
    let mut line = format!("{name}={text}");
    let mut expires = match options.get("expires") {
        Value::Date(ms) => Some(ms),
        _ => None,
    };
    let max_age = options.get("maxAge");
    if !max_age.is_nullish() && max_age.to_number().is_finite() {
        let ms = max_age.to_number();
        line.push_str(&format!("; Max-Age={}", (ms / 1000.0).floor()));
        expires = Some(flotilla_engine::now_ms() + ms);
    }
    let mut attribute = |name: &str, value: &Value| {
        if value.truthy() {
            line.push_str(&format!("; {name}={}", value.to_text()));
        }
    };
    attribute("Domain", &options.get("domain"));
    let path = options.get("path");
    attribute("Path", &if path.is_nullish() { Value::from("/") } else { path });
    // The date of a cookie has four digits for the year.
    if let Some(ms) = expires.filter(|ms| (0.0..YEAR_10000_MS).contains(ms)) {
        let time: SystemTime = UNIX_EPOCH + Duration::from_millis(ms as u64);
        line.push_str(&format!("; Expires={}", httpdate::fmt_http_date(time)));
    }
    for (option, name) in [("httpOnly", "HttpOnly"), ("secure", "Secure"), ("partitioned", "Partitioned")] {
        if options.get(option).truthy() {
            line.push_str(&format!("; {name}"));
        }
    }
    for (option, name) in [("priority", "Priority"), ("sameSite", "SameSite")] {
        match options.get(option) {
            Value::Bool(true) => line.push_str(&format!("; {name}=Strict")),
            Value::String(text) if !text.is_empty() => {
                let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
                line.push_str(&format!("; {name}={}{}", first.to_uppercase(), rest.to_lowercase()));
            }
            _ => {}
        }
    }
    line
}

/// The `Set-Cookie` line that removes a cookie.
pub(super) fn clear_cookie(name: &str, options: &Value) -> String {
    let mut gone: Object = options.as_object().cloned().unwrap_or_default();
    gone.remove("maxAge");
    gone.insert("expires", Value::Date(1.0));
    serialize_cookie(name, &Value::from(""), &Value::from(gone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let cookies = parse_cookies("a=b%20c; d=\"e\"; a=2; j=j%3A%7B%22x%22%3A1%7D");
        let json = flotilla_value::stringify(&Value::from(cookies)).unwrap().unwrap();
        assert_eq!(json, r#"{"a":"b c","d":"e","j":{"x":1}}"#);
        let options = flotilla_value::parse_json(br#"{"httpOnly":true,"sameSite":"lax","path":"/p"}"#).unwrap();
        assert_eq!(serialize_cookie("n", &Value::from("a b"), &options), "n=a%20b; Path=/p; HttpOnly; SameSite=Lax");
        assert_eq!(clear_cookie("n", &Value::Undefined), "n=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
