//! Variables that a script assigns without declaring them.
//!
//! In Node-RED such a variable lands on the node's own global object: it stays from message to message, and no other
//! node sees it. Here all nodes of a worker share one realm, so the names are found beforehand and become variables of
//! the node. Too many is harmless (an inner declaration shadows them); too few would leak into the realm.

use std::collections::BTreeSet;

/// Names that cannot be variables, or that the node already has.
const RESERVED: &[&str] = &[
    "arguments",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "in",
    "instanceof",
    "let",
    "new",
    "null",
    "of",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "var",
    "void",
    "while",
    "with",
    "yield",
    "NaN",
    "Infinity",
    "implements",
    "interface",
    "package",
    "private",
    "protected",
    "public",
];

#[derive(Clone, Debug, PartialEq)]
enum Token {
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

const ASSIGNS: &[&str] =
    &["=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=", "&&=", "||=", "??="];

/// The names that `sources` assign to, declared or not, sorted.
pub(super) fn assigned(sources: &[&str]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in sources {
        let tokens = tokens(source);
        for at in 0..tokens.len() {
            collect(&tokens, at, &mut names);
        }
    }
    names.retain(|name| !RESERVED.contains(&name.as_str()));
    names
}

fn collect(tokens: &[Token], at: usize, names: &mut BTreeSet<String>) {
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let after = tokens.get(at + 1);
    match &tokens[at] {
        Token::Name(name) => {
            if matches!(before, Some(Token::Mark("." | "?."))) {
                return;
            }
            let assigned = match after {
                Some(Token::Mark(mark)) => ASSIGNS.contains(mark) || matches!(*mark, "++" | "--"),
                Some(Token::Name(word)) => matches!(word.as_str(), "in" | "of"),
                _ => false,
            };
            if assigned || matches!(before, Some(Token::Mark("++" | "--"))) {
                names.insert(name.clone());
            }
        }
        // `[a, b] = ...` and `({ a, b: c } = ...)`: whatever is named inside.
        Token::Mark(close @ ("]" | "}")) if matches!(after, Some(Token::Mark("="))) => {
            let open = if *close == "]" { "[" } else { "{" };
            let mut depth = 0;
            for at in (0..=at).rev() {
                match &tokens[at] {
                    Token::Mark(mark) if mark == close => depth += 1,
                    Token::Mark(mark) if *mark == open => depth -= 1,
                    Token::Name(name)
                        if !matches!(at.checked_sub(1).and_then(|at| tokens.get(at)), Some(Token::Mark("."))) =>
                    {
                        names.insert(name.clone());
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        _ => {}
    }
}

fn tokens(source: &str) -> Vec<Token> {
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
        Some(Token::Mark(mark)) => !matches!(*mark, ")" | "]" | "}"),
        Some(Token::Name(name)) => {
            matches!(name.as_str(), "return" | "typeof" | "case" | "in" | "of" | "delete" | "void")
        }
    }
}

/// True when a word stands in the code, outside of strings and comments.
pub(super) fn mentions(source: &str, word: &str) -> bool {
    source.contains(word) && tokens(source).iter().any(|token| matches!(token, Token::Name(name) if name == word))
}

/// True when the code calls `node.done(...)` somewhere: then it says itself when it is through.
pub(super) fn calls_done(source: &str) -> bool {
    source.contains("done")
        && tokens(source).windows(4).any(|four| {
            matches!(four, [Token::Name(node), Token::Mark("." | "?."), Token::Name(done), Token::Mark("(")]
                if node == "node" && done == "done")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        assigned(&[source]).into_iter().collect()
    }

    #[test]
    fn undeclared_assignments_are_found() {
        assert_eq!(
            names("a = 1; b += 2; c++; --d; for (i = 0; i < 3; i++) {} for (k in o) {}"),
            ["a", "b", "c", "d", "i", "k"]
        );
        assert_eq!(names("[x, y] = [y, x]; ({ p, q: r } = o)"), ["p", "q", "r", "x", "y"]);
    }

    #[test]
    fn strings_comments_templates_and_regexps_are_not_code() {
        assert_eq!(names("'a = 1' // b = 2\n/* c = 3 */ `d = ${e = 4} f = 5`; s.replace(/g = [/] 6/, '')"), ["e"]);
        assert_eq!(names("msg.payload = a == b; o.x = 1; return a / b / c"), Vec::<String>::new());
    }

    #[test]
    fn calls_of_done_are_found_in_code_only() {
        assert!(calls_done("setTimeout(() => node . done(), 5)"));
        assert!(!calls_done("// node.done()\nreturn 'node.done()'"));
        assert!(mentions("await x", "await"));
        assert!(!mentions("// await", "await"));
    }
}
