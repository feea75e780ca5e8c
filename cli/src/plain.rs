//! Text from outside, for terminals and logs: names, topics and messages may hold control characters, which move the
//! cursor, hide text, or look like lines of ours.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Writes to standard output, control characters as escapes; a closed pipe (`| head`) is no error.
pub fn print(text: &str) {
    drop(std::io::Write::write_all(&mut std::io::stdout(), lines(text).as_bytes()));
}

/// The text with control characters and marks that turn the direction of writing as escapes; line ends and tabs stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |char| char == '\n' || char == '\t')
}

/// The same for one line: line ends are escapes, too.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escape(text, |char| char == '\t')
}

fn escape(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let bad = |char: char| is_control(char) && !stays(char);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if bad(char) {
            let _ = write!(plain, "{}", char.escape_default());
        } else {
            plain.push(char);
        }
    }
    Cow::Owned(plain)
}

fn is_control(char: char) -> bool {
    // Line and paragraph separators, and the marks for the direction of writing.
    char.is_control() || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_seen_and_not_obeyed() {
        assert_eq!(lines("a\n\tb\u{e9}\u{1f600}"), "a\n\tb\u{e9}\u{1f600}");
        assert_eq!(lines("\u{1b}[2J\r\u{7}\u{9b}1m\u{202e}"), "\\u{1b}[2J\\r\\u{7}\\u{9b}1m\\u{202e}");
        assert_eq!(one_line("a\nINFO b"), "a\\nINFO b");
    }
}
