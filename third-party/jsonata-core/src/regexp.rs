//! flotilla: regular expressions as JavaScript has them.
//!
//! `regex` is linear and takes most patterns; what it does not have (lookaround, back references, JavaScript's own
//! escapes and classes) goes to `regress`, which has ECMAScript's syntax and semantics.

use crate::functions::FunctionError;

/// A pattern that goes back and forth too often. The host says how much an evaluation may take: `regress::limit::within`.
fn ended() -> Result<(), FunctionError> {
    if !regress::limit::is_reached() {
        return Ok(());
    }
    Err(FunctionError::RuntimeError(
        "U1005: A regular expression took too many steps on this text: it goes back and forth too often. Write it without a \
         repetition inside of another one"
            .to_string(),
    ))
}

/// A compiled pattern.
pub enum Regexp {
    Linear(regex::Regex),
    Backtracking(Box<regress::Regex>),
}

/// Bytes of a match, and of its groups.
pub struct Found {
    pub start: usize,
    pub end: usize,
    pub groups: Vec<Option<(usize, usize)>>,
}

impl Regexp {
    pub fn new(pattern: &str, flags: &str) -> Result<Regexp, FunctionError> {
        let kept: String = ['i', 'm', 's'].into_iter().filter(|flag| flags.contains(*flag)).collect();
        let inline = if kept.is_empty() { String::new() } else { format!("(?{kept})") };
        // In JavaScript \d, \w and \b are ASCII, in `regex` they are Unicode: that matters where they are negated.
        let linear = regex::Regex::new(&format!("{inline}{pattern}"));
        match linear {
            Ok(regex) if ascii(pattern) => Ok(Regexp::Linear(regex)),
            _ => match regress::Regex::with_flags(pattern, kept.as_str()) {
                Ok(regex) => Ok(Regexp::Backtracking(Box::new(regex))),
                Err(error) => {
                    Err(FunctionError::ArgumentError(format!("Invalid regular expression: /{pattern}/{flags}: {error}")))
                }
            },
        }
    }

    pub fn is_match(&self, text: &str) -> Result<bool, FunctionError> {
        match self {
            Regexp::Linear(regex) => Ok(regex.is_match(text)),
            Regexp::Backtracking(regex) => {
                let found = regex.find(text).is_some();
                ended().map(|()| found)
            }
        }
    }

    pub fn find_at(&self, text: &str, start: usize) -> Result<Option<Found>, FunctionError> {
        let found = self.search(text, start);
        match self {
            Regexp::Linear(_) => Ok(found),
            Regexp::Backtracking(_) => ended().map(|()| found),
        }
    }

    fn search(&self, text: &str, start: usize) -> Option<Found> {
        match self {
            // Without groups only the bounds are needed, which are found faster.
            Regexp::Linear(regex) if regex.captures_len() == 1 => {
                let found = regex.find_at(text, start)?;
                Some(Found { start: found.start(), end: found.end(), groups: Vec::new() })
            }
            Regexp::Linear(regex) => {
                let found = regex.captures_at(text, start)?;
                let whole = found.get(0)?;
                let groups = found.iter().skip(1).map(|group| group.map(|group| (group.start(), group.end()))).collect();
                Some(Found { start: whole.start(), end: whole.end(), groups })
            }
            Regexp::Backtracking(regex) => {
                let found = regex.find_from(text, start).next()?;
                let groups = found.captures.iter().map(|group| group.as_ref().map(|range| (range.start, range.end)));
                Some(Found { start: found.start(), end: found.end(), groups: groups.collect() })
            }
        }
    }

    /// The pieces between matches, and as in JavaScript the groups of each match.
    pub fn split<'t>(&self, text: &'t str) -> Result<Vec<Option<&'t str>>, FunctionError> {
        if text.is_empty() {
            return Ok(if self.is_match(text)? { Vec::new() } else { vec![Some(text)] });
        }
        let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
        while at < text.len() {
            let Some(found) = self.find_at(text, at)? else { break };
            if found.start >= text.len() {
                break;
            }
            if found.end == from || (found.start == found.end && found.start == from) {
                at = next_char(text, at.max(found.end));
                continue;
            }
            parts.push(Some(&text[from..found.start]));
            parts.extend(found.groups.iter().map(|group| group.map(|(start, end)| &text[start..end])));
            from = found.end;
            at = if found.start == found.end { next_char(text, found.end) } else { found.end };
        }
        parts.push(Some(&text[from..]));
        Ok(parts)
    }
}

fn next_char(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(text.len() + 1, |c| at + c.len_utf8())
}

/// Whether it does not matter that `regex` takes more than ASCII: nothing negated and no boundary.
fn ascii(pattern: &str) -> bool {
    !["\\D", "\\W", "\\b", "\\B"].iter().any(|escape| pattern.contains(escape))
}
