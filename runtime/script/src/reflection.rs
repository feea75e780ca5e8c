//! Whether a script may look at an object as a whole: list its properties, ask whether they are its own, take one away.
//!
//! Most functions only read and write properties by name. Such a script cannot tell where a property lives, so that its
//! messages can be slim views ([`super::slim`]). The answer errs on the side of "it may". Only a name that a script puts
//! together while it runs (`x['con' + 'structor']`) is not seen.

use super::program::SANDBOX;
use super::tokens::{Token, tokens};

/// Words that lead to reflection. Searched for in the text itself, strings and comments too.
const LEADS: &[&str] = &[
    "Object",
    "Reflect",
    "stringify",
    "constructor",
    "prototype",
    "__",
    "hasOwn",
    "propertyIs",
    "structuredClone",
    "eval",
    "Function",
    "globalThis",
    "RED",
    // `clone: false` writes the answer onto the message.
    "linkcall",
    "\\u",
];

/// Words of reflection, or of code that this does not follow.
const WORDS: &[&str] = &["in", "delete", "with", "this", "arguments", "class", "super", "import", "require"];

/// What is there without a declaration, beside the sandbox, and never looks at an object as a whole.
const HARMLESS: &[&str] = &[
    "Math",
    "Number",
    "String",
    "Boolean",
    "BigInt",
    "Date",
    "Array",
    "Map",
    "Set",
    "Promise",
    "RegExp",
    "Error",
    "TypeError",
    "RangeError",
    "SyntaxError",
    "Buffer",
    "JSON",
    "NaN",
    "Infinity",
    "undefined",
    "parseInt",
    "parseFloat",
    "isNaN",
    "isFinite",
    "encodeURIComponent",
    "decodeURIComponent",
    "encodeURI",
    "decodeURI",
];

/// True when the code may look at objects as a whole. `is_global` knows the names of the realm.
pub(super) fn reflects(sources: &[&str], is_global: impl Fn(&str) -> bool) -> bool {
    sources.iter().any(|source| {
        LEADS.iter().any(|lead| source.contains(lead)) || {
            let tokens = tokens(source);
            (0..tokens.len()).any(|at| suspicious(&tokens, at, &is_global))
        }
    })
}

fn suspicious(tokens: &[Token], at: usize, is_global: &impl Fn(&str) -> bool) -> bool {
    match &tokens[at] {
        Token::Mark(mark) => *mark == "...",
        Token::Literal => false,
        Token::Name(name) => {
            let before = at.checked_sub(1).and_then(|at| tokens.get(at));
            if matches!(before, Some(Token::Mark("." | "?."))) {
                return false;
            }
            if name == "JSON" {
                // `JSON.parse` makes objects of its own; the other one lists properties.
                return !matches!(tokens.get(at + 1..at + 3), Some([Token::Mark("."), Token::Name(of)]) if of == "parse");
            }
            let harmless = SANDBOX.contains(&name.as_str()) || HARMLESS.contains(&name.as_str());
            WORDS.contains(&name.as_str()) || (!harmless && is_global(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reflecting(source: &str) -> bool {
        reflects(&["", source], |name| matches!(name, "console" | "util" | "URL" | "JSON" | "Math"))
    }

    #[test]
    fn code_that_goes_by_names_does_not_reflect() {
        for source in [
            "msg.payload = { value: parseFloat(msg.payload), unit: 'C' }; return msg;",
            "const p = msg.payload; p.delete = p['in'] ?? Math.round(p.a / 2); flow.set('x', p); return [msg, null];",
            "for (const r of msg.payload.list) sum += r.value; node.status({ text: `n = ${sum}` });",
            "msg.payload = JSON.parse(msg.payload); if (!msg.payload.a?.b) return null; // in this case",
        ] {
            assert!(!reflecting(source), "{source}");
        }
    }

    #[test]
    fn code_that_lists_or_removes_properties_reflects() {
        for source in [
            "for (const key in msg.payload) node.warn(key)",
            "Object.keys(msg.payload)",
            "return JSON.stringify(msg)",
            "const J = JSON; return J",
            "delete msg.payload.a",
            "'a' in msg.payload",
            "msg.payload = { ...msg.payload, b: 1 }",
            "const { a, ...rest } = msg.payload",
            "msg.payload.hasOwnProperty('a')",
            "console.log(msg)",
            "const fs = require('x')",
            "util.inspect(msg)",
            "RED.util.cloneMessage(msg)",
            "`${Object.keys(msg)}`",
            "this.a = msg",
            "n++ / f('a' in b) / 2",
            "msg['constructor'].keys(msg)",
            "// Object: in a comment it is suspicious too",
        ] {
            assert!(reflecting(source), "{source}");
        }
    }
}
