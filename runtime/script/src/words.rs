//! QuickJS's error messages in V8's words, which flows and people know.

/// The message as V8 would put it, when it is one of the engine's own common ones.
pub(super) fn as_v8(name: &str, message: &str) -> Option<String> {
    match name {
        "TypeError" => type_error(message),
        "ReferenceError" => reference_error(message),
        "RangeError" | "InternalError" => (message == "stack overflow"
            || message == "Maximum call stack size exceeded")
            .then(|| "Maximum call stack size exceeded".to_owned()),
        "SyntaxError" => syntax_error(message),
        _ => None,
    }
}

/// The part between `prefix` and `suffix`.
fn between<'a>(text: &'a str, prefix: &str, suffix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?.strip_suffix(suffix)
}

fn type_error(message: &str) -> Option<String> {
    for parent in ["undefined", "null"] {
        if let Some(key) = between(message, "cannot read property '", &format!("' of {parent}")) {
            return Some(format!("Cannot read properties of {parent} (reading '{key}')"));
        }
        if let Some(key) = between(message, "cannot set property '", &format!("' of {parent}")) {
            return Some(format!("Cannot set properties of {parent} (setting '{key}')"));
        }
    }
    if let Some(name) = between(message, "'", "' is read-only") {
        return Some(format!("Cannot assign to read only property '{name}' of object"));
    }
    match message {
        "not a function" => Some("value is not a function".to_owned()),
        "not an object" => Some("value is not an object".to_owned()),
        "circular reference" => Some("Converting circular structure to JSON".to_owned()),
        "cannot convert to object" => Some("Cannot convert undefined or null to object".to_owned()),
        _ => (message.ends_with(" is not a function") || message.ends_with(" is not iterable"))
            .then(|| message.to_owned()),
    }
}

fn reference_error(message: &str) -> Option<String> {
    if let Some(name) = message.strip_suffix(" is not defined") {
        return Some(format!("{} is not defined", name.trim_matches('\'')));
    }
    let name = message.strip_suffix(" is not initialized")?;
    Some(format!("Cannot access '{}' before initialization", name.trim_matches('\'')))
}

fn syntax_error(message: &str) -> Option<String> {
    let token =
        message.strip_prefix("unexpected token in expression: ").or_else(|| message.strip_prefix("unexpected token: "));
    if let Some(token) = token {
        return Some(match token.trim_matches('\'') {
            "" => "Unexpected end of input".to_owned(),
            token => format!("Unexpected token '{token}'"),
        });
    }
    let rest = message.strip_prefix("expecting ")?;
    Some(format!("Unexpected token: {rest} expected"))
}

#[cfg(test)]
mod tests {
    use super::as_v8;

    #[test]
    fn common_messages_are_said_as_v8_says_them() {
        let read = as_v8("TypeError", "cannot read property 'x' of undefined");
        assert_eq!(read.as_deref(), Some("Cannot read properties of undefined (reading 'x')"));
        assert_eq!(as_v8("ReferenceError", "'a' is not defined").as_deref(), Some("a is not defined"));
        assert_eq!(as_v8("TypeError", "what a user threw"), None);
        assert_eq!(as_v8("Error", "cannot read property 'x' of undefined"), None);
    }
}
