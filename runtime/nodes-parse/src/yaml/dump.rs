//! A value to YAML text, laid out as js-yaml does it.
//!
//! Values have no identity here, so nothing is written as an anchor and an alias: a shared object is written twice.

use flotilla_value::{Str, Value, number_to_string};

use super::error::{DumpError, MAX_DEPTH};
use super::scalar::binary_text;
use super::style::write_string;

/// Writes a value and a line end.
pub(super) fn dump(value: &Value) -> Result<String, DumpError> {
    Ok(match node(value, 0, true)? {
        Some(text) => text + "\n",
        None => String::new(),
    })
}

fn next_line(level: usize) -> String {
    format!("\n{}", "  ".repeat(level))
}

/// The text of a node; `None` for undefined, which is left out. `compact`: the first line continues the current one.
fn node(value: &Value, level: usize, compact: bool) -> Result<Option<String>, DumpError> {
    if level > MAX_DEPTH {
        return Err(DumpError::TooDeep);
    }
    Ok(Some(match value {
        Value::Undefined => return Ok(None),
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number_text(*number),
        Value::String(text) => write_string(text, level, false, true),
        Value::Date(_) => value.to_text().to_string(),
        Value::Buffer(bytes) => tagged_binary(bytes, level),
        Value::Typed(array) if array.kind == "Uint8Array" => tagged_binary(&array.bytes, level),
        Value::Array(items) => sequence(items, level, compact)?,
        Value::Object(object) => mapping(object.iter().map(|(k, v)| (k.clone(), v.clone())), level, compact)?,
        Value::Host(host) => mapping(host.keys().into_iter().map(|key| (key.clone(), host.get(&key))), level, compact)?,
        Value::Typed(_) => return Err(DumpError::Kind("typed array")),
        Value::BigInt(_) => return Err(DumpError::Kind("BigInt")),
        Value::RegExp(_) => return Err(DumpError::Kind("regular expression")),
        Value::Error(_) => return Err(DumpError::Kind("Error")),
        Value::Map(_) => return Err(DumpError::Kind("Map")),
        Value::Set(_) => return Err(DumpError::Kind("Set")),
        Value::Function(_) => return Err(DumpError::Kind("function")),
        Value::Circular(_) => return Err(DumpError::TooDeep),
    }))
}

fn tagged_binary(bytes: &[u8], level: usize) -> String {
    format!("!!binary {}", write_string(&binary_text(bytes), level, false, true))
}

fn number_text(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    if number == 0.0 && number.is_sign_negative() {
        return "-0.0".to_owned();
    }
    let text = number_to_string(number);
    match text.split_once('e') {
        // YAML wants a point before an exponent; js-yaml sees to it for what it takes for a float.
        Some((digits, exponent)) if !digits.contains('.') && number.fract() != 0.0 => format!("{digits}.e{exponent}"),
        _ => text.to_string(),
    }
}

/// `head` and then the text, which may begin on the next line.
fn after(head: &str, text: &str) -> String {
    if text.starts_with('\n') { format!("{head}{text}") } else { format!("{head} {text}") }
}

fn sequence(items: &[Value], level: usize, compact: bool) -> Result<String, DumpError> {
    let mut out = String::new();
    for item in items {
        let item = if item.is_undefined() { &Value::Null } else { item };
        if let Some(text) = node(item, level + 1, true)? {
            if !compact || !out.is_empty() {
                out.push_str(&next_line(level));
            }
            out.push_str(&after("-", &text));
        }
    }
    Ok(if out.is_empty() { "[]".to_owned() } else { out })
}

fn mapping(entries: impl Iterator<Item = (Str, Value)>, level: usize, compact: bool) -> Result<String, DumpError> {
    let mut out = String::new();
    for (key, value) in entries {
        let name = write_string(&key, level + 1, true, true);
        let explicit = name.chars().count() > 1024;
        let Some(text) = node(&value, level + 1, explicit)? else { continue };
        if !compact || !out.is_empty() {
            out.push_str(&next_line(level));
        }
        if explicit {
            out.push_str("? ");
        }
        out.push_str(&name);
        if explicit {
            out.push_str(&next_line(level));
        }
        out.push_str(&after(":", &text));
    }
    Ok(if out.is_empty() { "{}".to_owned() } else { out })
}

#[cfg(test)]
mod tests {
    use super::super::load::load;
    use super::*;
    use flotilla_value::parse_json;

    fn yaml(json: &str) -> String {
        dump(&parse_json(json.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn collections() {
        assert_eq!(
            yaml(r#"{"a":[1,{"b":2,"c":[]},[3,[4]]],"d":{}}"#),
            "a:\n  - 1\n  - b: 2\n    c: []\n  - - 3\n    - - 4\nd: {}\n"
        );
        assert_eq!(yaml("[]"), "[]\n");
        assert_eq!(dump(&Value::array(vec![Value::Undefined])).unwrap(), "- null\n");
        assert!(dump(&Value::array(vec![Value::Function("f".into())])).is_err());
        assert_eq!(dump(&Value::array(vec![Value::Buffer("hi".into())])).unwrap(), "- !!binary aGk=\n");
    }

    #[test]
    fn strings_are_quoted_where_they_must_be() {
        let text = r##"["","a","true","1","on","12:30","a: b","a #b","a#b","#a","-a"," a","a'b","x\u0001","<<","é","2020-01-01","a:"]"##;
        let lines = yaml(text);
        assert_eq!(
            lines.lines().map(|line| &line[2..]).collect::<Vec<_>>(),
            [
                "''",
                "a",
                "'true'",
                "'1'",
                "'on'",
                "'12:30'",
                "'a: b'",
                "'a #b'",
                "a#b",
                "'#a'",
                "'-a'",
                "' a'",
                "a'b",
                "\"x\\x01\"",
                "'<<'",
                "é",
                "'2020-01-01'",
                "'a:'"
            ]
        );
        assert_eq!(yaml(r#"{"a":"x\ny\n","b":" x\ny","c":"\n"}"#), "a: |\n  x\n  y\nb: |2-\n   x\n  y\nc: |2+\n\n");
        let long = format!("{{\"a\":\"{}\"}}", "word ".repeat(20).trim_end());
        assert_eq!(
            yaml(&long),
            format!("a: >-\n  {}\n  {}\n", "word ".repeat(15).trim_end(), "word ".repeat(5).trim_end())
        );
    }

    fn arbitrary() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<f64>().prop_map(Value::Number),
            "[ -~\n\té'\"#:]{0,12}".prop_map(Value::from),
            "(word |\n| ){0,60}".prop_map(Value::from),
            (-1e12..1e12).prop_map(|ms: f64| Value::Date(ms.trunc())),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::array),
                prop::collection::vec(("[ -~\n]{0,6}", inner), 0..4)
                    .prop_map(|pairs| Value::from(pairs.into_iter().collect::<flotilla_value::Object>())),
            ]
        })
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(value in arbitrary()) {
            let text = dump(&value).unwrap();
            proptest::prop_assert_eq!(load(&text).unwrap(), value, "{}", text);
        }
    }
}
