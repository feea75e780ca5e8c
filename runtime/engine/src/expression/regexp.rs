//! JavaScript regular expressions.

use regress::{Match, Regex, limit};

use super::error::ExpressionError;

/// Steps that a regular expression may take on one text, and all of those of a JSONata expression together: about half a second.
/// Patterns such as `(a+)+$` need more than any machine has. Steps and not time, so that a text that is too much for one replica
/// is too much for all.
pub(super) const STEPS: u64 = 100_000_000;

/// A regular expression with JavaScript's syntax and semantics.
#[derive(Clone, Debug)]
pub struct Regexp {
    regex: Regex,
    source: String,
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
    /// Steps that a match may take unless the caller says otherwise.
    pub const STEPS: u64 = STEPS;

    /// `new RegExp(source, flags)`.
    ///
    /// # Errors
    /// When the pattern is not valid; the text is the message of JavaScript's `SyntaxError`.
    pub fn new(source: &str, flags: &str) -> Result<Regexp, ExpressionError> {
        let compiled = Regex::with_flags(source, flags.replace(['g', 'y'], "").as_str());
        let regex = compiled
            .map_err(|error| ExpressionError::new(format!("Invalid regular expression: /{source}/{flags}: {error}")))?;
        Ok(Regexp { regex, source: source.to_owned(), global: flags.contains('g') })
    }

    /// True when the pattern is found anywhere in the text.
    ///
    /// # Errors
    /// When that takes more than 100 million steps.
    pub fn is_match(&self, text: &str) -> Result<bool, ExpressionError> {
        self.is_match_within(text, STEPS).0
    }

    /// As [`Regexp::is_match`], with `steps` instead of 100 million, for patterns that share a bound. Answers as well how many
    /// steps it took: at most `steps`.
    pub fn is_match_within(&self, text: &str, steps: u64) -> (Result<bool, ExpressionError>, u64) {
        let (found, used) = limit::counted(steps, || self.regex.find(text).is_some());
        (found.map_err(|limit::StepLimit| self.too_much(text, steps)), used)
    }

    /// `text.replace(this, replacement)`, with `$&`, `$1`, `$<name>`, `$$` and so on in the replacement.
    ///
    /// # Errors
    /// When that takes more than 100 million steps.
    pub fn replace(&self, text: &str, replacement: &str) -> Result<String, ExpressionError> {
        self.replace_within(text, replacement, STEPS)
    }

    fn replace_within(&self, text: &str, replacement: &str, steps: u64) -> Result<String, ExpressionError> {
        let replaced = limit::within(steps, || self.replaced(text, replacement));
        replaced.map_err(|limit::StepLimit| self.too_much(text, steps))
    }

    fn too_much(&self, text: &str, steps: u64) -> ExpressionError {
        let text = format!(
            "The regular expression /{}/ takes more than {steps} steps on a text of {} bytes: it goes back and forth too often. \
             Write it without a repetition inside of another one",
            self.source,
            text.len()
        );
        ExpressionError::with_code(text, "ERR_REGEXP_STEPS")
    }

    fn replaced(&self, text: &str, replacement: &str) -> String {
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
        assert_eq!(regexp.replace("1-a 22-b", "[$2$1$<b>$$$9]").unwrap(), "[a1a$$9] [b22b$$9]");
        assert_eq!(Regexp::new("a", "").unwrap().replace("aa", "b").unwrap(), "ba");
        assert_eq!(Regexp::new("^topic$", "i").unwrap().replace("TOPIC", "$&!").unwrap(), "TOPIC!");
        assert!(Regexp::new("[", "").is_err());
        assert!(Regexp::new(&escape_regexp("a.b c[0]"), "g").unwrap().is_match("xa.b c[0]").unwrap());
    }

    /// What no machine has time for takes more steps than any bound: a small one tells it as well, and sooner.
    const FEW: u64 = 1_000_000;

    #[test]
    fn patterns_that_blow_up_are_errors_and_what_is_only_long_is_not() {
        let evil = format!("{}b", "a".repeat(40));
        let long = "ab".repeat(1 << 18);
        for (pattern, text) in [
            ("(a+)+$", &evil),
            ("(a|a)*$", &evil),
            ("(a|aa)+$", &evil),
            ("^(?=(a+)+$)", &evil),
            ("(a*)*\\1c", &evil),
            // Only simple loops, but as many steps as the cube of the length.
            ("[ab]*[ab]*[ab]*c", &long),
            ("([ab]*)\\1c", &long),
        ] {
            let regexp = Regexp::new(pattern, "g").unwrap();
            let (found, used) = regexp.is_match_within(text, FEW);
            assert_eq!(found.unwrap_err().code.as_deref(), Some("ERR_REGEXP_STEPS"), "{pattern}");
            assert_eq!(used, FEW, "{pattern}");
            assert!(regexp.is_match("aaab").is_ok(), "the next text is not affected: {pattern}");
        }
        assert!(Regexp::new("(a+)+$", "g").unwrap().replace_within(&evil, "", FEW).is_err());
        // What is kept of earlier choices is bounded, too.
        let longer = "ab".repeat(1 << 22);
        assert!(Regexp::new("(?:a|b)*c", "").unwrap().is_match(&longer).is_err());
        for (pattern, expected) in [("(?:a|b)*$", true), ("(ab)+$", true), ("^[ab]*?c", false), ("b(?!a)", true)] {
            assert_eq!(Regexp::new(pattern, "").unwrap().is_match(&long), Ok(expected), "{pattern}");
        }
        assert_eq!(Regexp::new("a", "g").unwrap().replace(&long, "").unwrap().len(), 1 << 18);
    }

    #[test]
    fn without_another_bound_it_is_100_million_steps() {
        let evil = format!("{}b", "a".repeat(40));
        let error = Regexp::new("(a+)+$", "").unwrap().is_match(&evil).unwrap_err();
        assert!(error.to_text().contains("more than 100000000 steps on a text of 41 bytes"), "{error}");
    }

    #[test]
    fn steps_are_counted_also_below_an_outer_bound() {
        let regexp = Regexp::new("(a+)+$", "").unwrap();
        let (found, used) = regexp.is_match_within("aaaa", FEW);
        assert_eq!(found, Ok(true));
        assert!((1..100).contains(&used), "{used}");
        let evil = format!("{}b", "a".repeat(40));
        let outer = limit::counted(FEW, || regexp.is_match_within(&evil, 1000).1);
        assert_eq!(outer, (Ok(1000), 1000), "the inner bound is over, the outer one is not");
        let (found, used) = limit::counted(FEW, || regexp.is_match(&evil).is_err());
        assert_eq!((found, used), (Err(limit::StepLimit), FEW));
    }
}
