//! The words of a script, as far as questions about its code need them.

use std::cell::RefCell;
use std::rc::Rc;

/// A name (keywords too), a mark, or a literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Mark(&'static str),
    Literal,
}

/// Marks by length, longest first.
const MARKS: &[&str] = &[
    ">>>=", "<<=", ">>=", ">>>", "**=", "&&=", "||=", "??=", "===", "!==", "...", "=>", "==", "!=", "<=", ">=", "&&",
    "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "**", "{", "}", "(", ")",
    "[", "]", ";", ",", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "!", "~", "?", ":", "=", ".", "@", "#",
];

/// The parts of a function node.
const PARTS: usize = 3;
/// Longer sources are scanned for each question: their tokens take too much memory to be kept.
const LONG: usize = 64 << 10;

thread_local! {
    /// The sources that were scanned last: several questions are asked about each part of a function, one after the other.
    static LAST: RefCell<Vec<(String, Rc<Vec<Token>>)>> = const { RefCell::new(Vec::new()) };
}

/// The tokens of a source; strings, regular expressions and the text of templates are literals, comments are nothing.
pub(super) fn tokens(source: &str) -> Rc<Vec<Token>> {
    LAST.with_borrow_mut(|last| {
        if let Some((_, known)) = last.iter().find(|(text, _)| text == source) {
            return known.clone();
        }
        let tokens = Rc::new(scanned(source));
        if source.len() <= LONG {
            last.truncate(PARTS - 1);
            last.insert(0, (source.to_owned(), tokens.clone()));
        }
        tokens
    })
}

fn scanned(source: &str) -> Vec<Token> {
    let text: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    scan(&text, 0, false, &mut tokens);
    tokens
}

/// Scans from `at`; within a template's `${` until its `}`. Answers where it stopped.
fn scan(text: &[char], mut at: usize, in_template: bool, tokens: &mut Vec<Token>) -> usize {
    let mut depth = 0;
    while at < text.len() {
        let c = text[at];
        let next = text.get(at + 1).copied();
        if c.is_whitespace() {
            at += 1;
        } else if c == '/' && next == Some('/') {
            while at < text.len() && text[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && next == Some('*') {
            at += 2;
            while at < text.len() && !(text[at] == '*' && text.get(at + 1) == Some(&'/')) {
                at += 1;
            }
            at += 2;
        } else if c == '"' || c == '\'' {
            at = skip_quoted(text, at + 1, c);
            tokens.push(Token::Literal);
        } else if c == '`' {
            at = skip_template(text, at + 1, tokens);
            tokens.push(Token::Literal);
        } else if c == '/' && regex_may_follow(tokens.last()) {
            at = skip_regex(text, at + 1);
            tokens.push(Token::Literal);
        } else if c.is_alphabetic() || c == '_' || c == '$' {
            let start = at;
            while at < text.len() && (text[at].is_alphanumeric() || matches!(text[at], '_' | '$')) {
                at += 1;
            }
            tokens.push(Token::Name(text[start..at].iter().collect()));
        } else if c.is_ascii_digit() {
            while at < text.len() && (text[at].is_alphanumeric() || matches!(text[at], '.' | '_')) {
                at += 1;
            }
            tokens.push(Token::Literal);
        } else {
            let mark = MARKS.iter().find(|mark| mark.chars().enumerate().all(|(i, m)| text.get(at + i) == Some(&m)));
            let Some(mark) = mark else {
                at += 1;
                continue;
            };
            match *mark {
                "{" => depth += 1,
                "}" if in_template && depth == 0 => return at + 1,
                "}" => depth -= 1,
                _ => {}
            }
            tokens.push(Token::Mark(mark));
            at += mark.len();
        }
    }
    at
}

fn skip_quoted(text: &[char], mut at: usize, quote: char) -> usize {
    while at < text.len() && text[at] != quote && text[at] != '\n' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn skip_template(text: &[char], mut at: usize, tokens: &mut Vec<Token>) -> usize {
    while at < text.len() {
        match text[at] {
            '`' => return at + 1,
            '\\' => at += 2,
            '$' if text.get(at + 1) == Some(&'{') => at = scan(text, at + 2, true, tokens),
            _ => at += 1,
        }
    }
    at
}

fn skip_regex(text: &[char], mut at: usize) -> usize {
    let mut in_class = false;
    while at < text.len() && text[at] != '\n' {
        match text[at] {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return at + 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// A `/` is a division after a value, and begins a regular expression anywhere else.
fn regex_may_follow(last: Option<&Token>) -> bool {
    match last {
        None => true,
        Some(Token::Literal) => false,
        Some(Token::Mark(mark)) => !matches!(*mark, ")" | "]" | "}" | "++" | "--"),
        Some(Token::Name(name)) => {
            matches!(name.as_str(), "return" | "typeof" | "case" | "in" | "of" | "delete" | "void")
        }
    }
}
