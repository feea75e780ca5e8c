//! What a destructuring pattern takes apart.

use super::lex::{Code, Kind, NONE};
use super::parse::unquoted;

/// Where the value of a pattern comes from.
pub(super) enum Origin {
    /// From the expression that begins at this token.
    Expression(usize),
    /// From the items of a `for ... of`.
    Loop,
    /// From a property or item of the pattern around it.
    Outer,
    /// From an argument.
    Argument,
}

/// Where the value of the pattern at token `open` comes from.
pub(super) fn origin(code: &Code<'_>, open: usize) -> Option<Origin> {
    let close = match code.partner[open] {
        NONE => return None,
        close => close,
    };
    let before = open.checked_sub(1).map_or("", |at| code.word(at));
    let around = (0..open).rev().find(|at| code.partner[*at] != NONE && code.partner[*at] > close);
    let within = around.map_or("", |at| code.word(at));
    let declares = matches!(before, "const" | "let" | "var");
    Some(match code.word(close + 1) {
        "of" if declares || within == "(" => Origin::Loop,
        _ if before == ":" || before == "..." || within == "[" => Origin::Outer,
        "=" if !declares && before == "," && within == "{" && !is_block(code, around) => Origin::Outer,
        "=" if is_parameter(code, around) => Origin::Argument,
        "=" => Origin::Expression(close + 2),
        _ => Origin::Argument,
    })
}

/// True when the brace opens a block of statements.
fn is_block(code: &Code<'_>, brace: Option<usize>) -> bool {
    brace
        .and_then(|at| at.checked_sub(1))
        .is_none_or(|before| matches!(code.word(before), ")" | "=>" | ";" | "{" | "}" | "else" | "do" | "try"))
}

/// True when the parenthesis holds parameters.
fn is_parameter(code: &Code<'_>, open: Option<usize>) -> bool {
    let Some(open) = open.filter(|at| code.word(*at) == "(") else { return false };
    let behind = code.word(code.partner[open] + 1);
    behind == "=>"
        || (behind == "{"
            && !matches!(open.checked_sub(1).map_or("", |at| code.word(at)), "if" | "for" | "while" | "switch"))
}

/// The first property that the pattern at `open` reads, and whether it has a default; nothing when it is computed, the rest
/// or absent.
pub(super) fn first_property<'a>(code: &Code<'a>, open: usize) -> Option<(&'a str, bool)> {
    let token = code.tokens.get(open + 1)?;
    let name = match token.kind {
        Kind::Name => token.text,
        Kind::Text => unquoted(token.text),
        Kind::Number => token.text,
        _ => return None,
    };
    Some((name, code.word(open + 2) == "="))
}
