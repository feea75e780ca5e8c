//! Where the expression in front of a call begins.

use super::lex::{Code, Kind, NONE};

/// The first token of the chain of names, calls and indices that ends before token `end`.
pub(super) fn begin(code: &Code<'_>, end: usize) -> Option<usize> {
    let mut at = end.checked_sub(1)?;
    // `f?.(x)`: the mark belongs to the call.
    if code.word(at) == "?." {
        at = at.checked_sub(1)?;
    }
    loop {
        let first = match code.word(at) {
            ")" | "]" | "}" => match code.partner[at] {
                NONE => return None,
                open => open,
            },
            _ => at,
        };
        let Some(before) = first.checked_sub(1) else { return Some(first) };
        let is_suffix = match code.word(first) {
            "(" | "[" => is_operand_end(code, before) || code.word(before) == "?.",
            _ => code.tokens[first].kind == Kind::Template && is_operand_end(code, before),
        };
        at = match code.word(before) {
            "." | "?." => before.checked_sub(1)?,
            _ if is_suffix => before,
            "new" => return Some(before),
            _ => return Some(function_begin(code, first)),
        };
        if code.word(at) == "?." {
            at = at.checked_sub(1)?;
        }
    }
}

fn is_operand_end(code: &Code<'_>, at: usize) -> bool {
    let token = code.tokens[at];
    match token.kind {
        Kind::Name => !is_keyword(token.text),
        Kind::Mark => matches!(token.text, ")" | "]"),
        _ => true,
    }
}

/// Keywords after which an expression begins.
pub(super) fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "return"
            | "typeof"
            | "case"
            | "in"
            | "of"
            | "delete"
            | "void"
            | "throw"
            | "new"
            | "else"
            | "do"
            | "await"
            | "yield"
            | "instanceof"
            | "if"
            | "while"
            | "for"
            | "switch"
            | "catch"
            | "const"
            | "let"
            | "var"
            | "default"
    )
}

/// For the body of a function or class in brackets, where the function begins.
fn function_begin(code: &Code<'_>, first: usize) -> usize {
    if code.word(first) != "{" {
        return first;
    }
    (first.saturating_sub(40)..first)
        .rev()
        .take_while(|at| !matches!(code.word(*at), ";" | "{" | "}"))
        .find(|at| matches!(code.word(*at), "function" | "class"))
        .unwrap_or(first)
}
