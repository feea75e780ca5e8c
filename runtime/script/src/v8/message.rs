//! The texts themselves.

use super::chain;
use super::lex::{Code, Kind};
use super::parse::{INTERMEDIATE, Printer};
use super::pattern::{self, Origin};

/// Marks a text that is to be completed; QuickJS's patch writes it.
const MARK: char = '\u{1}';

/// The text of an error of the engine whose text names an expression: what failed at `line` and `column` of `source`, both
/// from 1, the column in bytes. `None` when the text is not one of those.
pub(crate) fn complete(message: &str, source: Option<&str>, line: usize, column: usize) -> Option<String> {
    let marked = message.strip_prefix(MARK)?;
    let shown = source.and_then(|source| {
        let code = Code::new(source);
        let at = code.at(source, line, column)?;
        text(marked, &code, at)
    });
    shown.or_else(|| plain(message))
}

/// The text without an expression.
pub(crate) fn plain(message: &str) -> Option<String> {
    let marked = message.strip_prefix(MARK)?;
    let rest = marked.get(1..).unwrap_or_default();
    Some(match marked.chars().next() {
        Some('d') => format!("Cannot destructure '{}' as it is {rest}.", value_word(rest)),
        _ => rest.to_owned(),
    })
}

fn value_word(value: &str) -> &str {
    if value == "null" { "object null" } else { value }
}

fn text(marked: &str, code: &Code<'_>, at: usize) -> Option<String> {
    let rest = &marked[1..];
    match marked.chars().next()? {
        'c' => Some(format!("{} is not a function", callee(code, at, false)?)),
        'n' => Some(format!("{} is not a constructor", callee(code, at, true)?)),
        'i' => iterated(rest, code, at),
        'd' => destructured(rest, code, at),
        _ => None,
    }
}

/// What is called or constructed by the parenthesis (or template) at `at`.
fn callee(code: &Code<'_>, at: usize, constructed: bool) -> Option<String> {
    let mut begin = chain::begin(code, at)?;
    if constructed && code.word(begin) == "new" {
        begin += 1;
    }
    let stop = if code.word(at.checked_sub(1)?) == "?." { at - 1 } else { at };
    let shown = Printer { code, stop, depth: 0 }.sequence(begin);
    Some(if shown.text.is_empty() { INTERMEDIATE.to_owned() } else { shown.text })
}

fn iterated(rest: &str, code: &Code<'_>, at: usize) -> Option<String> {
    let stop = code.tokens.len();
    let before = at.checked_sub(1).map_or("", |at| code.word(at));
    if before == "..." {
        let shown = Printer { code, stop, depth: 0 }.assignment(at);
        let around = (0..at).rev().find(|open| code.partner[*open] != super::lex::NONE && code.partner[*open] > at)?;
        if code.word(around) == "[" {
            return Some(is_not_iterable(&shown.text, shown.callee.as_deref()));
        }
        return Some(match rest.split(' ').next() {
            Some("undefined") => format!("{} is not iterable (cannot read property undefined)", shown.text),
            Some("object") if rest.starts_with("object null") => {
                format!("{} is not iterable (cannot read property null)", shown.text)
            }
            _ => "Spread syntax requires ...iterable[Symbol.iterator] to be a function".to_owned(),
        });
    }
    if before == "of" {
        let shown = Printer { code, stop, depth: 0 }.assignment(at);
        return (!shown.compound).then(|| is_not_iterable(&shown.text, shown.callee.as_deref()));
    }
    match pattern::origin(code, at)? {
        Origin::Expression(from) => {
            // V8 shows names, literals and calls of names; of a property it shows the value.
            let declares = matches!(before, "const" | "let" | "var" | ",");
            let shown = Printer { code, stop, depth: 0 }.assignment(from);
            let is_name = |text: &str| !text.contains(['.', '[', '(']);
            let begins_with_name = code.tokens.get(from).is_some_and(|token| token.kind == Kind::Name);
            let is_path = begins_with_name && shown.text != INTERMEDIATE && !is_name(&shown.text);
            let shows = match &shown.callee {
                Some(callee) => is_name(callee),
                None => !is_path && code.word(from) != "(",
            };
            (declares && shows && !shown.compound).then(|| is_not_iterable(&shown.text, shown.callee.as_deref()))
        }
        Origin::Loop => Some(".for is not iterable".to_owned()),
        Origin::Outer | Origin::Argument => None,
    }
}

fn is_not_iterable(text: &str, callee: Option<&str>) -> String {
    match callee {
        Some(callee) => format!("{callee} is not a function or its return value is not iterable"),
        None => format!("{text} is not iterable"),
    }
}

fn destructured(value: &str, code: &Code<'_>, at: usize) -> Option<String> {
    let origin = pattern::origin(code, at)?;
    let first = pattern::first_property(code, at);
    let read = |name: &str| format!("Cannot read properties of {value} (reading '{name}')");
    let shown = match origin {
        Origin::Outer => return Some(first.map_or_else(|| read(""), |(name, _)| read(name))),
        Origin::Expression(from) => Printer { code, stop: code.tokens.len(), depth: 0 }.assignment(from).text,
        Origin::Loop => ".for".to_owned(),
        Origin::Argument => value_word(value).to_owned(),
    };
    Some(match first {
        Some((name, true)) => read(name),
        Some((name, false)) => format!("Cannot destructure property '{name}' of '{shown}' as it is {value}."),
        None => format!("Cannot destructure '{shown}' as it is {value}."),
    })
}
