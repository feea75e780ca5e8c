//! JavaScript regular expressions.

use regress::{Match, Regex};

use super::error::ExpressionError;

/// A regular expression with JavaScript's syntax and semantics.
#[derive(Clone, Debug)]
pub struct Regexp {
    regex: Regex,
    global: bool,
}

/// The text as a pattern that matches exactly it.
pub fn escape_regexp(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(
            c,
            '-' | '[' | ']' | '{' | '}' | '(' | ')' | '*' | '+' | '?' | '.' | ',' | '\\' | '^' | '$' | '|' | '#'
        ) || c.is_whitespace()
        {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl Regexp {
    /// `new RegExp(source, flags)`.
    ///
    /// # Errors
    /// When the pattern is not valid; the text is the message of JavaScript's `SyntaxError`.
    pub fn new(source: &str, flags: &str) -> Result<Regexp, ExpressionError> {
        let compiled = Regex::with_flags(source, flags.replace(['g', 'y'], "").as_str());
        let regex = compiled
            .map_err(|error| ExpressionError::new(format!("Invalid regular expression: /{source}/{flags}: {error}")))?;
        Ok(Regexp { regex, global: flags.contains('g') })
    }

    /// True when the pattern is found anywhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.find(text).is_some()
    }

    /// `text.replace(this, replacement)`, with `$&`, `$1`, `$<name>`, `$$` and so on in the replacement.
    pub fn replace(&self, text: &str, replacement: &str) -> String {
        let (mut out, mut from) = (String::new(), 0);
        for found in self.regex.find_iter(text) {
            out.push_str(&text[from..found.start()]);
            expand(&mut out, text, &found, replacement);
            from = found.end();
            if !self.global {
                break;
            }
        }
        out.push_str(&text[from..]);
        out
    }
}

/// `GetSubstitution` of ECMAScript.
fn expand(out: &mut String, text: &str, found: &Match, replacement: &str) {
    let group = |number: usize| found.group(number).map_or("", |range| &text[range]);
    let groups = found.captures.len();
    let mut rest = replacement;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let number = |n: usize| rest[..n].parse::<usize>().unwrap_or(0);
        match rest.as_bytes().first() {
            Some(b'$') => {
                out.push('$');
                rest = &rest[1..];
            }
            Some(b'&') => {
                out.push_str(&text[found.range()]);
                rest = &rest[1..];
            }
            Some(b'`') => {
                out.push_str(&text[..found.start()]);
                rest = &rest[1..];
            }
            Some(b'\'') => {
                out.push_str(&text[found.end()..]);
                rest = &rest[1..];
            }
            Some(b'<') if found.named_groups().next().is_some() && rest.contains('>') => {
                let end = rest.find('>').unwrap_or(rest.len() - 1);
                if let Some(range) = found.named_group(&rest[1..end]) {
                    out.push_str(&text[range]);
                }
                rest = &rest[end + 1..];
            }
            _ if digits == 2 && (1..=groups).contains(&number(2)) => {
                out.push_str(group(number(2)));
                rest = &rest[2..];
            }
            _ if digits >= 1 && (1..=groups).contains(&number(1)) => {
                out.push_str(group(number(1)));
                rest = &rest[1..];
            }
            _ => out.push('$'),
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_as_javascript_does() {
        let regexp = Regexp::new(r"(\d+)-(?<b>\w)", "g").unwrap();
        assert_eq!(regexp.replace("1-a 22-b", "[$2$1$<b>$$$9]"), "[a1a$$9] [b22b$$9]");
        assert_eq!(Regexp::new("a", "").unwrap().replace("aa", "b"), "ba");
        assert_eq!(Regexp::new("^topic$", "i").unwrap().replace("TOPIC", "$&!"), "TOPIC!");
        assert!(Regexp::new("[", "").is_err());
        assert!(Regexp::new(&escape_regexp("a.b c[0]"), "g").unwrap().is_match("xa.b c[0]"));
    }
}
