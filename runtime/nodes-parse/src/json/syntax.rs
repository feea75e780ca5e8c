//! What is wrong with JSON text, in the words of the JavaScript engine that flows know.

use std::error::Error;

use flotilla_value::ParseError;

/// Characters of the text that are shown around the fault.
const AROUND: usize = 10;

/// `Unexpected token 'x', "..." is not valid JSON`, or where the text ends too early.
pub(super) fn syntax_error(text: &[u8], error: &ParseError) -> String {
    let text = String::from_utf8_lossy(text);
    let Some(cause) = error.source().and_then(|cause| cause.downcast_ref::<serde_json::Error>()) else {
        return error.to_string();
    };
    if cause.is_eof() {
        return "Unexpected end of JSON input".to_owned();
    }
    let before: usize = text.split_inclusive('\n').take(cause.line().saturating_sub(1)).map(str::len).sum();
    let at = before + cause.column().saturating_sub(1);
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let Some(token) = text[at..].chars().next() else { return "Unexpected end of JSON input".to_owned() };
    let chars: Vec<char> = text.chars().collect();
    let position = text[..at].chars().count();
    let (from, to) = (position.saturating_sub(AROUND), (position + AROUND).min(chars.len()));
    let shown: String = chars[from..to].iter().collect();
    let (head, tail) = (if from > 0 { "..." } else { "" }, if to < chars.len() { "..." } else { "" });
    format!("Unexpected token '{token}', {head}\"{shown}\"{tail} is not valid JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::parse_json;

    #[test]
    fn the_fault_is_named() {
        let text = |json: &str| syntax_error(json.as_bytes(), &parse_json(json.as_bytes()).unwrap_err());
        assert_eq!(text("foo"), "Unexpected token 'o', \"foo\" is not valid JSON");
        assert_eq!(text("{\"a\":1"), "Unexpected end of JSON input");
        assert!(text("{\"a\":\n é}").starts_with("Unexpected token 'é'"));
    }
}
