//! Query strings and urlencoded bodies as npm's `qs` reads them: `a[b]=1`, `a[]=1&a[]=2`, `a=1&a=2`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use flotilla_value::{Object, Str, Value};

/// qs: brackets nest this deep; what is deeper stays text in the key.
const DEPTH: usize = 5;
/// qs: more parameters are ignored.
const PARAMETERS: usize = 1000;
/// qs: higher indexes make an object, so that `a[999999]=x` costs nothing.
const ARRAY_LIMIT: usize = 20;

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// `encodeURIComponent(text)`.
pub fn encode_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// The parameters of a query string, without its `?`.
pub fn parse_query(text: &str) -> Object {
    let mut root = Value::object();
    for part in text.split('&').filter(|part| !part.is_empty()).take(PARAMETERS) {
        let (key, value) = part
            .find("]=")
            .map(|at| at + 1)
            .or_else(|| part.find('='))
            .map_or((part, ""), |at| (&part[..at], &part[at + 1..]));
        let key = decode(key);
        let parts = split_key(&key);
        insert(&mut root, &parts, Value::from(decode(value)));
    }
    match root {
        Value::Object(object) => std::sync::Arc::unwrap_or_clone(object),
        _ => Object::new(),
    }
}

/// As Node's `querystring.stringify`: `a=1&a=2&b=x`; what is neither text, number nor bool is empty.
pub fn write_query(value: &Value) -> String {
    let pair = |key: &str, value: &Value| {
        let text = match value {
            Value::String(_) | Value::Bool(_) | Value::BigInt(_) => value.to_text(),
            Value::Number(number) if number.is_finite() => value.to_text(),
            _ => Str::default(),
        };
        format!("{}={}", encode_component(key), encode_component(&text))
    };
    let mut pairs = Vec::new();
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter() {
                match value {
                    Value::Array(items) => pairs.extend(items.iter().map(|item| pair(key, item))),
                    value => pairs.push(pair(key, value)),
                }
            }
        }
        Value::Array(items) => pairs.extend(items.iter().enumerate().map(|(at, item)| pair(&at.to_string(), item))),
        _ => {}
    }
    pairs.join("&")
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map_or_else(|_| spaced.clone(), std::borrow::Cow::into_owned)
}

/// `a[b][c]` as `a`, `b`, `c`.
fn split_key(key: &str) -> Vec<&str> {
    let Some(open) = key.find('[').filter(|at| *at > 0) else { return vec![key] };
    let (mut parts, mut rest) = (vec![&key[..open]], &key[open..]);
    while parts.len() <= DEPTH && rest.starts_with('[') {
        let Some(close) = rest.find(']') else { break };
        parts.push(&rest[1..close]);
        rest = &rest[close + 1..];
    }
    if parts.len() == 1 {
        return vec![key];
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

fn insert(place: &mut Value, parts: &[&str], value: Value) {
    let Some((name, rest)) = parts.split_first() else {
        *place = match std::mem::take(place) {
            Value::Undefined => value,
            Value::Array(mut items) => {
                std::sync::Arc::make_mut(&mut items).push(value);
                Value::Array(items)
            }
            earlier => Value::array(vec![earlier, value]),
        };
        return;
    };
    // Names of Object.prototype are refused, as qs does: no flow should meet an object without its methods.
    if matches!(*name, "__proto__" | "hasOwnProperty" | "toString" | "constructor") {
        return;
    }
    let index = name.parse::<usize>().ok().filter(|index| *index <= ARRAY_LIMIT && index.to_string() == *name);
    if place.is_undefined() {
        *place = if name.is_empty() || index.is_some() { Value::array(Vec::new()) } else { Value::object() };
    }
    if let Value::Array(items) = place {
        let items = std::sync::Arc::make_mut(items);
        match index {
            _ if name.is_empty() => {
                items.push(Value::Undefined);
                let last = items.len() - 1;
                return insert(&mut items[last], rest, value);
            }
            // qs compacts holes; unlike qs, indexes that come out of order keep the order in which they came.
            Some(index) if index < items.len() => return insert(&mut items[index], rest, value),
            Some(_) => {
                let mut made = Value::Undefined;
                insert(&mut made, rest, value);
                return items.push(made);
            }
            None => {
                let entries = items.iter().enumerate().map(|(at, item)| (at.to_string(), item.clone()));
                *place = Value::from(entries.collect::<Object>());
            }
        }
    } else if !matches!(place, Value::Object(_)) {
        let earlier = std::mem::replace(place, Value::object());
        insert(place, &[&earlier.to_text()], Value::Bool(true));
    }
    if let Some(object) = place.as_object_mut() {
        let mut inner = object.get_mut(name).map(std::mem::take).unwrap_or_default();
        insert(&mut inner, rest, value);
        object.insert(*name, inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_qs() {
        for (text, expected) in [
            ("a=1&b=x+y%20z", r#"{"a":"1","b":"x y z"}"#),
            ("a=1&a=2", r#"{"a":["1","2"]}"#),
            ("a[]=1&a[]=2", r#"{"a":["1","2"]}"#),
            ("a[b]=1&a[c][d]=2", r#"{"a":{"b":"1","c":{"d":"2"}}}"#),
            ("a[999]=x", r#"{"a":{"999":"x"}}"#),
            ("a", r#"{"a":""}"#),
            ("__proto__=1", "{}"),
        ] {
            let value = Value::from(parse_query(text));
            let json = flotilla_value::stringify(&value).unwrap().unwrap();
            assert_eq!(json, expected, "{text}");
        }
    }

    #[test]
    fn writes_as_querystring() {
        let value = flotilla_value::parse_json(br#"{"a":[1,"b c"],"d":null,"e":true}"#).unwrap();
        assert_eq!(write_query(&value), "a=1&a=b%20c&d=&e=true");
    }
}
