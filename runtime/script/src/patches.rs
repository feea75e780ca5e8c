//! Whether code changes built-ins: `Array.prototype.last = ...`, `Math.random = ...`, `Object.setPrototypeOf(...)`.
//!
//! It errs on the side of "it does": then the node has a realm of its own, which costs memory and nothing else. What is not seen
//! (a name that is put together while the code runs, an alias of a constructor) meets frozen built-ins.

use super::tokens::{Token, tokens};

/// Names by which prototypes are reached and changed.
const DOORS: &[&str] = &["__proto__", "setPrototypeOf", "getPrototypeOf", "__defineGetter__", "__defineSetter__"];

/// What makes code of text: what that does is not seen. Called, or with `new`.
const MAKERS: &[&str] = &["eval", "Function"];

/// The built-ins that code changes.
const BUILT_INS: &[&str] = &[
    "Object",
    "Function",
    "Array",
    "String",
    "Number",
    "Boolean",
    "BigInt",
    "Symbol",
    "Date",
    "RegExp",
    "Math",
    "JSON",
    "Map",
    "Set",
    "WeakMap",
    "WeakSet",
    "Promise",
    "Error",
    "TypeError",
    "RangeError",
    "SyntaxError",
    "ReferenceError",
    "EvalError",
    "URIError",
    "AggregateError",
    "ArrayBuffer",
    "DataView",
    "Uint8Array",
    "Int8Array",
    "Uint16Array",
    "Int16Array",
    "Uint32Array",
    "Int32Array",
    "Float32Array",
    "Float64Array",
    "Reflect",
    "Proxy",
    "Intl",
    "Buffer",
    "URL",
    "URLSearchParams",
    "TextEncoder",
    "TextDecoder",
    "console",
    "util",
    "crypto",
    "structuredClone",
];

/// What assigns.
const ASSIGNS: &[&str] = &[
    "=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=", "&&=", "||=", "??=", "++", "--",
];

/// True when one of these sources changes built-ins, as far as that is seen.
pub(super) fn patches(sources: &[&str]) -> bool {
    sources.iter().any(|source| {
        let tokens = tokens(source);
        (0..tokens.len()).any(|at| changes(&tokens[at..], at.checked_sub(1).map(|before| &tokens[before])))
    })
}

fn name(token: Option<&Token>) -> Option<&str> {
    match token {
        Some(Token::Name(name)) => Some(name),
        _ => None,
    }
}

fn mark(token: Option<&Token>) -> Option<&str> {
    match token {
        Some(Token::Mark(mark)) => Some(mark),
        _ => None,
    }
}

fn changes(tokens: &[Token], before: Option<&Token>) -> bool {
    let Some(first) = name(tokens.first()) else { return false };
    if DOORS.contains(&first) {
        return true;
    }
    if MAKERS.contains(&first) && mark(tokens.get(1)) == Some("(") {
        return true;
    }
    if matches!(mark(before), Some("." | "?.")) || !BUILT_INS.contains(&first) {
        return false;
    }
    match (mark(tokens.get(1)), name(tokens.get(2))) {
        (Some("."), Some("prototype")) => !is_borrowed(&tokens[3..]),
        // `Math.random = ...`, `Date.now ??= ...`
        (Some("."), Some(_)) => mark(tokens.get(3)).is_some_and(|mark| ASSIGNS.contains(&mark)),
        // `Array["prototype"]`, `Math[name]`: what is meant is known when it runs.
        (Some("["), _) => true,
        // `Object.defineProperty(Array, ...)`, `Object.assign(Math, ...)`: a built-in that is handed over as it is. As a
        // function that is called (`map(Number)`, `filter(Boolean)`) it is not changed.
        _ => is_target(tokens, before),
    }
}

/// `Array.prototype.slice.call(...)` and the like: a method that is used. Also `Object.prototype.toString` by itself, without
/// an assignment.
fn is_borrowed(rest: &[Token]) -> bool {
    let method = mark(rest.first()) == Some(".") && name(rest.get(1)).is_some();
    method && !mark(rest.get(2)).is_some_and(|mark| ASSIGNS.contains(&mark))
}

/// True for a built-in that is the first argument of `defineProperty`, `defineProperties` or `assign`.
fn is_target(tokens: &[Token], before: Option<&Token>) -> bool {
    mark(before) == Some("(") && mark(tokens.get(1)) == Some(",") && !matches!(name(tokens.first()), Some("JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_changes_built_ins_is_seen() {
        for source in [
            "Array.prototype.last = function () { return this[this.length - 1]; };",
            "if (!String.prototype.padLeft) { String.prototype.padLeft = f; }",
            "Date.prototype['addDays'] = f",
            "const p = Array.prototype; p.x = 1",
            "Object.defineProperty(Array.prototype, 'x', { value: 1 })",
            "Object.defineProperty(Math, 'x', { value: 1 })",
            "Object.assign(String.prototype, { x() {} })",
            "Math.random = () => 4",
            "Date.now = () => 0",
            "Number['isNice'] = f",
            "msg.payload.__proto__.x = 1",
            "Object.setPrototypeOf(a, b)",
            "console.log = node.warn",
            "`${Array.prototype.x = 1}`",
        ] {
            assert!(patches(&["", source]), "{source}");
        }
    }

    #[test]
    fn code_that_uses_them_is_not() {
        for source in [
            "return Array.prototype.slice.call(arguments)",
            "Object.prototype.hasOwnProperty.call(msg, 'a') && Object.prototype.toString.call(x) === '[object Date]'",
            "msg.payload = msg.payload.map(Number).filter(Boolean); msg.n = Math.max(...list) == 3",
            "msg.payload = JSON.stringify(msg.payload); const d = new Date(Date.now());",
            "class A { static x = 1 } A.prototype.y = 2; function B() {} B.prototype = Object.create(A.prototype)",
            "// Array.prototype.x = 1 in a comment",
            "'Math.random = 1'",
            "Object.assign(msg, { a: 1 }); Object.keys(msg).forEach(key => delete msg[key])",
            "flow.set('Math', 1); msg.Math.x = 2; msg.Array.prototype.x = 1",
            "x instanceof Array, y === String; [1, 2].reduce((a, b) => Number(a) + b, 0)",
        ] {
            assert!(!patches(&[source]), "{source}");
        }
    }
}
