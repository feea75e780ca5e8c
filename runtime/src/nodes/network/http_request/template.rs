//! Tags in a URL: `{{name}}` (HTML-escaped, as Mustache does), `{{{name}}}` and `{{&name}}`.

use crate::value::Value;

/// Fills in the tags of a URL; what the message does not have is empty.
pub(super) fn render(text: &str, msg: &Value) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(open) = rest.find("{{") {
        out.push_str(&rest[..open]);
        rest = &rest[open + 2..];
        let raw = rest.starts_with('{');
        let end = rest.find(if raw { "}}}" } else { "}}" }).ok_or_else(|| format!("Unclosed tag in the URL {text}"))?;
        let name = rest[usize::from(raw)..end].trim();
        rest = &rest[end + if raw { 3 } else { 2 }..];
        let (raw, name) = name.strip_prefix('&').map_or((raw, name), |name| (true, name.trim()));
        let value = lookup(msg, name);
        if value.is_nullish() {
            continue;
        }
        let value = value.to_text();
        if raw { out.push_str(&value) } else { escape(&value, &mut out) }
    }
    out.push_str(rest);
    Ok(out)
}

/// Mustache's dotted names: any text between the dots is a key.
fn lookup(msg: &Value, name: &str) -> Value {
    name.split('.').fold(msg.clone(), |value, key| match &value {
        Value::Array(items) => key.parse().ok().and_then(|at: usize| items.get(at).cloned()).unwrap_or_default(),
        other => other.get(key),
    })
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '/' => out.push_str("&#x2F;"),
            '`' => out.push_str("&#x60;"),
            '=' => out.push_str("&#x3D;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_filled_in() {
        let msg = crate::value::parse_json(br#"{"a":{"b":"x/y"},"n":1}"#).unwrap();
        assert_eq!(render("h/{{{a.b}}}/{{a.b}}/{{n}}/{{gone}}", &msg).unwrap(), "h/x/y/x&#x2F;y/1/");
        assert!(render("h/{{a", &msg).is_err());
    }
}
