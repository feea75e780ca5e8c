//! Mustache templates: text to a tree.
//!
//! Source: the Mustache specification, and mustache.js for what it leaves open.

use super::error::ExpressionError;

/// One piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Text(String),
    /// `{{name}}`, or `{{{name}}}` and `{{&name}}` without escaping.
    Variable {
        name: String,
        escaped: bool,
    },
    /// `{{#name}}` or, `inverted`, `{{^name}}`. `raw` is the text inside.
    Section {
        name: String,
        inverted: bool,
        inside: Vec<Token>,
    },
}

/// A section that is still open.
struct Open {
    name: String,
    inverted: bool,
    before: Vec<Token>,
}

/// Reads a template.
pub(super) fn parse(template: &str) -> Result<Vec<Token>, ExpressionError> {
    Parser { rest: template, open: "{{".to_owned(), close: "}}".to_owned(), tokens: Vec::new(), sections: Vec::new() }
        .run(template)
}

struct Parser<'a> {
    rest: &'a str,
    open: String,
    close: String,
    tokens: Vec<Token>,
    sections: Vec<Open>,
}

impl<'a> Parser<'a> {
    fn run(mut self, whole: &'a str) -> Result<Vec<Token>, ExpressionError> {
        while let Some(start) = self.rest.find(&self.open) {
            let tag_at = whole.len() - self.rest.len() + start;
            let before = &self.rest[..start];
            let inner = &self.rest[start + self.open.len()..];
            let kind = inner.trim_start().chars().next().filter(|c| "#^/>{&=!".contains(*c));
            let inner = if kind.is_some() { &inner.trim_start()[1..] } else { inner };
            let close = match kind {
                Some('{') => format!("}}{}", self.close),
                Some('=') => format!("={}", self.close),
                _ => self.close.clone(),
            };
            let Some(end) = inner.find(&close) else {
                return Err(ExpressionError::new(format!("Unclosed tag at {tag_at}")));
            };
            let (name, after) = (inner[..end].trim().to_owned(), &inner[end + close.len()..]);
            // A tag that shows nothing and is alone on its line takes the line with it.
            let stands_alone =
                matches!(kind, Some('#' | '^' | '/' | '>' | '=' | '!')).then(|| alone(whole, tag_at, after));
            let (text, rest) = match stands_alone.flatten() {
                Some(rest) => (before.trim_end_matches([' ', '\t']), rest),
                None => (before, after),
            };
            if !text.is_empty() {
                self.tokens.push(Token::Text(text.to_owned()));
            }
            self.rest = &whole[whole.len() - rest.len()..];
            self.tag(kind, name, tag_at)?;
        }
        if !self.rest.is_empty() {
            self.tokens.push(Token::Text(self.rest.to_owned()));
        }
        match self.sections.pop() {
            Some(open) => Err(ExpressionError::new(format!("Unclosed section \"{}\" at {}", open.name, whole.len()))),
            None => Ok(self.tokens),
        }
    }

    fn tag(&mut self, kind: Option<char>, name: String, at: usize) -> Result<(), ExpressionError> {
        match kind {
            // Partials are other templates, of which there are none here.
            Some('!' | '>') => {}
            Some('#' | '^') => {
                self.sections.push(Open {
                    name,
                    inverted: kind == Some('^'),
                    before: std::mem::take(&mut self.tokens),
                });
            }
            Some('/') => match self.sections.pop() {
                Some(open) if open.name == name => {
                    let inside = std::mem::replace(&mut self.tokens, open.before);
                    self.tokens.push(Token::Section { name, inverted: open.inverted, inside });
                }
                Some(open) => return Err(ExpressionError::new(format!("Unclosed section \"{}\" at {at}", open.name))),
                None => return Err(ExpressionError::new(format!("Unopened section \"{name}\" at {at}"))),
            },
            Some('=') => match name.split_whitespace().collect::<Vec<_>>()[..] {
                [open, close] => (self.open, self.close) = (open.to_owned(), close.to_owned()),
                _ => return Err(ExpressionError::new(format!("Invalid tags: {name}"))),
            },
            _ => self.tokens.push(Token::Variable { name, escaped: kind.is_none() }),
        }
        Ok(())
    }
}

/// The rest of the template after the line, when nothing but white space is beside the tag.
fn alone<'a>(whole: &'a str, tag_at: usize, after: &'a str) -> Option<&'a str> {
    let line_start = whole[..tag_at].rfind('\n').map_or(0, |at| at + 1);
    if !whole[line_start..tag_at].chars().all(|c| c == ' ' || c == '\t') {
        return None;
    }
    let trimmed = after.trim_start_matches([' ', '\t']);
    if trimmed.is_empty() {
        return Some(trimmed);
    }
    trimmed.strip_prefix("\r\n").or_else(|| trimmed.strip_prefix('\n'))
}
