//! Values as Node.js prints them to a console.

use flotilla_value::{Object, Value, date_to_iso};

/// Wider objects go on several lines.
const WIDTH: usize = 72;

/// The text that Node.js' `util.inspect` gives, to a depth; wide objects are broken into lines.
pub(super) fn inspect(value: &Value, depth: usize) -> String {
    show(value, depth + 1, 0)
}

fn quote(text: &str) -> String {
    let quote = if !text.contains('\'') {
        '\''
    } else if !text.contains('"') {
        '"'
    } else {
        '`'
    };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

fn key(name: &str) -> String {
    let plain = name
        .chars()
        .enumerate()
        .all(|(at, c)| c == '_' || c == '$' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit()));
    if plain && !name.is_empty() { name.to_owned() } else { quote(name) }
}

fn group(open: &str, close: &str, parts: Vec<String>, indent: usize) -> String {
    if parts.is_empty() {
        return format!("{open}{close}");
    }
    let line = format!("{open} {} {close}", parts.join(", "));
    if line.len() + indent <= WIDTH && !line.contains('\n') {
        return line;
    }
    let pad = " ".repeat(indent + 2);
    format!("{open}\n{pad}{}\n{}{close}", parts.join(&format!(",\n{pad}")), " ".repeat(indent))
}

fn fields(object: &Object, depth: usize, indent: usize) -> Vec<String> {
    object.iter().map(|(name, value)| format!("{}: {}", key(name), show(value, depth, indent + 2))).collect()
}

fn show(value: &Value, depth: usize, indent: usize) -> String {
    let items = |items: &[Value], depth: usize| -> Vec<String> {
        let mut shown: Vec<String> = items.iter().take(100).map(|item| show(item, depth, indent + 2)).collect();
        if items.len() > 100 {
            shown.push(format!("... {} more items", items.len() - 100));
        }
        shown
    };
    match value {
        Value::String(text) => quote(text),
        Value::BigInt(digits) => format!("{digits}n"),
        Value::Number(number) if *number == 0.0 && number.is_sign_negative() => "-0".to_owned(),
        Value::Array(_) if depth == 0 => "[Array]".to_owned(),
        Value::Object(object) if depth == 0 && !object.is_empty() => "[Object]".to_owned(),
        Value::Array(list) => group("[", "]", items(list, depth - 1), indent),
        Value::Object(object) => group("{", "}", fields(object, depth.saturating_sub(1), indent), indent),
        Value::Set(list) => {
            group(&format!("Set({}) {{", list.len()), "}", items(list, depth.saturating_sub(1)), indent)
        }
        Value::Map(pairs) => {
            let show = |(key, item): &(Value, Value)| {
                let depth = depth.saturating_sub(1);
                format!("{} => {}", show(key, depth, indent + 2), show(item, depth, indent + 2))
            };
            group(&format!("Map({}) {{", pairs.len()), "}", pairs.iter().map(show).collect(), indent)
        }
        Value::Buffer(bytes) => {
            let hex: String = bytes.iter().take(50).map(|byte| format!(" {byte:02x}")).collect();
            let more = if bytes.len() > 50 { format!(" ... {} more bytes", bytes.len() - 50) } else { String::new() };
            format!("<Buffer{hex}{more}>")
        }
        Value::Typed(array) => {
            let numbers = value.to_text();
            group(
                &format!("{}({}) [", array.kind, numbers.split(',').count()),
                "]",
                numbers.split(',').map(str::to_owned).collect(),
                indent,
            )
        }
        Value::Date(ms) => date_to_iso(*ms).unwrap_or_else(|| "Invalid Date".to_owned()),
        Value::Error(error) => error.stack.as_deref().map_or_else(|| format!("[{}]", error.to_text()), str::to_owned),
        Value::Function(name) if name.is_empty() => "[Function (anonymous)]".to_owned(),
        Value::Function(name) => format!("[Function: {name}]"),
        Value::Circular(_) => "[Circular *1]".to_owned(),
        Value::Host(host) => format!("[{}]", host.class_name()),
        other => other.to_text().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::parse_json;

    #[test]
    fn prints_as_node_does() {
        let value = parse_json(br#"{"a-b":"it's","n":[1,{"x":null}],"e":{}}"#).unwrap();
        assert_eq!(inspect(&value, 2), r#"{ 'a-b': "it's", n: [ 1, { x: null } ], e: {} }"#);
        assert_eq!(inspect(&value, 1), r#"{ 'a-b': "it's", n: [ 1, [Object] ], e: {} }"#);
        assert_eq!(inspect(&value, 0), r#"{ 'a-b': "it's", n: [Array], e: {} }"#);
    }
}
