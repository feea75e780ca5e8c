//! The tokens of a source with their places.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Name,
    Number,
    Text,
    /// A whole template, with what stands in its `${}`.
    Template,
    Regexp,
    Mark,
}

/// A token: bytes `start..end` of the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

/// A source, cut into tokens.
pub(super) struct Code<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    /// For a bracket, the token of its partner.
    pub(super) partner: Vec<usize>,
}

/// No partner.
pub(super) const NONE: usize = usize::MAX;

/// Longest first.
const MARKS: &[&str] = &[
    ">>>=", "<<=", ">>=", ">>>", "**=", "&&=", "||=", "??=", "===", "!==", "...", "=>", "==", "!=", "<=", ">=", "&&",
    "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "**",
];

impl<'a> Code<'a> {
    pub(super) fn new(source: &'a str) -> Code<'a> {
        let mut tokens: Vec<Token<'a>> = Vec::new();
        let mut at = 0;
        while let Some(c) = source[at..].chars().next() {
            let rest = &source[at..];
            let (kind, length) = match c {
                _ if c.is_whitespace() || c == '\u{feff}' => (None, c.len_utf8()),
                '/' if rest.starts_with("//") => (None, rest.find('\n').unwrap_or(rest.len())),
                '/' if rest.starts_with("/*") => (None, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
                '"' | '\'' => (Some(Kind::Text), quoted(rest, c)),
                '`' => (Some(Kind::Template), template(rest)),
                '/' if regexp_may_follow(tokens.last()) => (Some(Kind::Regexp), regexp(rest)),
                // Before names: they have digits too.
                _ if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) => {
                    (Some(Kind::Number), number(rest))
                }
                _ if is_name(c) => (Some(Kind::Name), rest.find(|c| !is_name(c)).unwrap_or(rest.len())),
                _ => (Some(Kind::Mark), mark(rest, c)),
            };
            if let Some(kind) = kind {
                tokens.push(Token { kind, text: &rest[..length], start: at });
            }
            at += length;
        }
        let partner = pair(&tokens);
        Code { tokens, partner }
    }

    /// The token that begins at or before a place, `line` and `column` (in bytes) from 1.
    pub(super) fn at(&self, source: &str, line: usize, column: usize) -> Option<usize> {
        let begin = match line.checked_sub(2) {
            None => 0,
            Some(before) => source.match_indices('\n').nth(before)?.0 + 1,
        };
        let place = begin + column.saturating_sub(1);
        let found = self.tokens.partition_point(|token| token.start <= place).checked_sub(1)?;
        (place < self.tokens[found].start + self.tokens[found].text.len()).then_some(found)
    }

    /// The token's text when it is a mark or a name, else nothing.
    pub(super) fn word(&self, at: usize) -> &'a str {
        match self.tokens.get(at) {
            Some(token) if matches!(token.kind, Kind::Mark | Kind::Name) => token.text,
            _ => "",
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '\u{200c}' | '\u{200d}')
}

fn mark(rest: &str, c: char) -> usize {
    // `a?.5:b` is a conditional.
    let number_follows =
        rest[c.len_utf8()..].starts_with('.') && rest[2.min(rest.len())..].starts_with(|c: char| c.is_ascii_digit());
    if c == '?' && number_follows {
        return 1;
    }
    MARKS.iter().find(|mark| rest.starts_with(**mark)).map_or(c.len_utf8(), |mark| mark.len())
}

fn number(rest: &str) -> usize {
    let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
    let (mut before, mut dotted) = (' ', is_hex);
    rest.find(|c: char| {
        let is_sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !is_hex;
        // `5..toFixed()`: the second dot is not the number's.
        let is_dot = c == '.' && !dotted;
        dotted |= is_dot;
        before = c;
        !(c.is_alphanumeric() || c == '_' || is_dot || is_sign)
    })
    .unwrap_or(rest.len())
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return at,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn regexp(rest: &str) -> usize {
    let (mut escaped, mut class) = (false, false);
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return at,
            '[' => class = true,
            ']' => class = false,
            '/' if !class => {
                let flags = &rest[at + 1..];
                return at + 1 + flags.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(flags.len());
            }
            _ => {}
        }
    }
    rest.len()
}

/// Templates in templates included; a quote or brace in a string within `${}` is rare enough to get wrong.
fn template(rest: &str) -> usize {
    let mut depth: Vec<usize> = vec![0];
    let mut at = 1;
    while at < rest.len() {
        let tail = &rest[at..];
        let in_text = depth.len() % 2 == 1;
        let Some(c) = tail.chars().next() else { break };
        match c {
            '\\' => at += 1,
            '$' if in_text && tail.starts_with("${") => {
                depth.push(0);
                at += 2;
                continue;
            }
            '`' if in_text => {
                depth.pop();
                if depth.is_empty() {
                    return at + 1;
                }
            }
            '`' => depth.push(0),
            '{' if !in_text => *depth.last_mut().unwrap_or(&mut 0) += 1,
            '}' if !in_text => match depth.last_mut() {
                Some(0) => {
                    depth.pop();
                }
                Some(open) => *open -= 1,
                None => break,
            },
            _ => {}
        }
        at += tail.chars().next().map_or(1, char::len_utf8);
    }
    rest.len()
}

fn regexp_may_follow(before: Option<&Token<'_>>) -> bool {
    before.is_none_or(|token| match token.kind {
        Kind::Name => matches!(
            token.text,
            "return" | "typeof" | "case" | "in" | "of" | "delete" | "void" | "throw" | "new" | "else" | "do" | "await"
        ),
        Kind::Mark => !matches!(token.text, ")" | "]" | "}" | "++" | "--"),
        _ => false,
    })
}

fn pair(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut partner = vec![NONE; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match (token.kind, token.text) {
            (Kind::Mark, "(" | "[" | "{") => open.push(at),
            (Kind::Mark, ")" | "]" | "}") => {
                if let Some(from) = open.pop() {
                    partner[from] = at;
                    partner[at] = from;
                }
            }
            _ => {}
        }
    }
    partner
}
