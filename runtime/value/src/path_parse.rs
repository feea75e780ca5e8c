//! Property expressions from their text.
//!
//! Source: `normalisePropertyExpression` of Node-RED's `util`, whose messages flows and tests see.

use super::path::{Path, PathError, PathPart};
use super::types::Str;

fn invalid<T>(text: impl Into<String>) -> Result<T, PathError> {
    Err(PathError::Invalid(text.into()))
}

fn unexpected<T>(c: char, at: usize) -> Result<T, PathError> {
    invalid(format!("Invalid property expression: unexpected {c} at position {at}"))
}

/// A number alone is an index.
fn part(text: &[char]) -> PathPart {
    let text: String = text.iter().collect();
    match text.parse::<usize>() {
        Ok(index) if text.bytes().all(|byte| byte.is_ascii_digit()) => PathPart::Index(index),
        _ => PathPart::Key(Str::from(text)),
    }
}

/// Ends of a string part: what may follow the closing quote.
fn after_quote(text: &[char], i: usize, start: usize, in_box: bool) -> Result<(), PathError> {
    let next = text.get(i + 1);
    if in_box && next != Some(&']') {
        return invalid(format!("Invalid property expression: unexpected array expression at position {start}"));
    }
    match next {
        Some(c) if !in_box && !matches!(c, '[' | '.') => {
            invalid(format!("Invalid property expression: unexpected {c} expression at position {}", i + 1))
        }
        _ => Ok(()),
    }
}

/// The end of a nested `[msg...]` that opens at `open`.
fn nested_end(text: &[char], open: usize) -> Option<usize> {
    let (mut depth, mut quote) = (1, None);
    for (j, c) in text.iter().enumerate().skip(open + 1) {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(*c),
            (c, Some(q)) if *c == q => quote = None,
            ('[', _) => depth += 1,
            (']', _) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(j);
        }
    }
    None
}

/// Parses an expression.
pub(super) fn parse(text: &[char]) -> Result<Path, PathError> {
    if text.is_empty() {
        return invalid("Invalid property expression: zero-length");
    }
    let (mut parts, mut start, mut i) = (Vec::new(), 0, 0);
    let (mut quote, mut in_box) = (None, false);
    while i < text.len() {
        let c = text[i];
        let last = i + 1 == text.len();
        match (quote, c) {
            (Some(q), c) if c == q => {
                if i == start {
                    return invalid(format!("Invalid property expression: zero-length string at position {start}"));
                }
                parts.push(PathPart::Key(text[start..i].iter().collect::<String>().into()));
                after_quote(text, i, start, in_box)?;
                start = i + 1;
                quote = None;
            }
            (Some(_), _) => {}
            (None, '"' | '\'') => {
                if i != start {
                    return unexpected(c, i);
                }
                quote = Some(c);
                start = i + 1;
            }
            (None, '.') => {
                if i == 0 {
                    return unexpected(c, 0);
                }
                if start != i {
                    parts.push(part(&text[start..i]));
                }
                if last {
                    return invalid("Invalid property expression: unterminated expression");
                }
                let next = text[i + 1];
                if !(next.is_ascii_alphanumeric() || matches!(next, '$' | '_')) {
                    return unexpected(next, i + 1);
                }
                start = i + 1;
            }
            (None, '[') => {
                if i == 0 {
                    return unexpected(c, i);
                }
                if start != i {
                    parts.push(PathPart::Key(text[start..i].iter().collect::<String>().into()));
                }
                if last {
                    return invalid("Invalid property expression: unterminated expression");
                }
                if text[i + 1..].starts_with(&['m', 's', 'g']) && matches!(text.get(i + 4), Some('.' | '[')) {
                    let Some(end) = nested_end(text, i) else {
                        return invalid(format!("Invalid property expression: unmatched '[' at position {i}"));
                    };
                    let skip = if text[i + 4] == '.' { i + 5 } else { i + 1 };
                    let nested = parse(&text[skip..end])
                        .or_else(|_| invalid(format!("Invalid expression started at position {}", i + 1)))?;
                    parts.push(PathPart::Nested(nested));
                    i = end;
                    start = end + 1;
                } else {
                    let next = text[i + 1];
                    if !(next.is_ascii_digit() || matches!(next, '"' | '\'')) {
                        return unexpected(next, i + 1);
                    }
                    start = i + 1;
                    in_box = true;
                }
            }
            (None, ']') => {
                if !in_box {
                    return unexpected(c, i);
                }
                if start != i {
                    match part(&text[start..i]) {
                        index @ PathPart::Index(_) => parts.push(index),
                        _ => {
                            return invalid(format!(
                                "Invalid property expression: unexpected array expression at position {start}"
                            ));
                        }
                    }
                }
                start = i + 1;
                in_box = false;
            }
            (None, ' ') => return invalid(format!("Invalid property expression: unexpected ' ' at position {i}")),
            (None, _) => {}
        }
        i += 1;
    }
    if in_box || quote.is_some() {
        return invalid("Invalid property expression: unterminated expression");
    }
    if start < text.len() {
        parts.push(PathPart::Key(text[start..].iter().collect::<String>().into()));
    }
    Ok(Path::from_parts(parts))
}
