//! Variables that a script assigns without declaring them.
//!
//! In Node-RED such a variable lands on the node's own global object: it stays from message to message, and no other
//! node sees it. Here all nodes of a worker share one realm, so the names are found beforehand and become variables of
//! the node. Too many is harmless (an inner declaration shadows them); too few would leak into the realm.
//!
//! A name that code only changes (`count += 1`) is never made: the engine looks for it in the realm and throws a ReferenceError,
//! as in Node-RED. One that is made somewhere is `undefined` before, where Node-RED would throw. To throw there as well, each
//! access had to look it up in an object of the node (`with`), or each node had to have a realm: the one costs every message,
//! the other memory.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{Token, tokens};

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

/// What assigns to a name after it has read it.
const CHANGES: &[&str] =
    &["+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=", "&&=", "||=", "??=", "++", "--"];

/// How code assigns to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Assigned {
    /// Only so that it has to be there before: `count += 1`.
    Changed,
    /// Somewhere so that it is there afterwards: `count = 1`.
    Made,
}

/// The names that `sources` assign to, declared or not, sorted.
pub(super) fn assigned(sources: &[&str]) -> BTreeMap<String, Assigned> {
    let (mut made, mut changed) = (BTreeSet::new(), BTreeSet::new());
    // Code in texts may make what only changes here.
    let texts = sources.iter().any(|source| mentions(source, "eval") || mentions(source, "Function"));
    for source in sources {
        let tokens = tokens(source);
        for at in 0..tokens.len() {
            collect(&tokens, at, &mut made, &mut changed);
        }
    }
    let of_changed = if texts { Assigned::Made } else { Assigned::Changed };
    let changed = changed.into_iter().map(|name| (name, of_changed));
    let mut names: BTreeMap<String, Assigned> = changed.collect();
    names.extend(made.into_iter().map(|name| (name, Assigned::Made)));
    names.retain(|name, _| !RESERVED.contains(&name.as_str()));
    names
}

fn collect(tokens: &[Token], at: usize, made: &mut BTreeSet<String>, changed: &mut BTreeSet<String>) {
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let after = tokens.get(at + 1);
    match &tokens[at] {
        Token::Name(name) => {
            if matches!(before, Some(Token::Mark("." | "?."))) {
                return;
            }
            match after {
                Some(Token::Mark("=")) => drop(made.insert(name.clone())),
                Some(Token::Mark(mark)) if CHANGES.contains(mark) => drop(changed.insert(name.clone())),
                Some(Token::Name(word)) if matches!(word.as_str(), "in" | "of") => drop(made.insert(name.clone())),
                _ if matches!(before, Some(Token::Mark("++" | "--"))) => drop(changed.insert(name.clone())),
                _ => {}
            }
        }
        // `[a, b] = ...`, `({ a, b: c } = ...)` and `for ([a, b] of ...)`: whatever is named inside.
        Token::Mark(close @ ("]" | "}"))
            if matches!(after, Some(Token::Mark("=")))
                || matches!(after, Some(Token::Name(word)) if matches!(word.as_str(), "of" | "in")) =>
        {
            let open = if *close == "]" { "[" } else { "{" };
            let mut depth = 0;
            for at in (0..=at).rev() {
                match &tokens[at] {
                    Token::Mark(mark) if mark == close => depth += 1,
                    Token::Mark(mark) if *mark == open => depth -= 1,
                    Token::Name(name)
                        if !matches!(at.checked_sub(1).and_then(|at| tokens.get(at)), Some(Token::Mark("."))) =>
                    {
                        made.insert(name.clone());
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
        assigned(&[source]).into_keys().collect()
    }

    fn only_changed(source: &str) -> Vec<String> {
        let changed = assigned(&[source]).into_iter().filter(|(_, how)| *how == Assigned::Changed);
        changed.map(|(name, _)| name).collect()
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
    fn what_is_only_changed_has_to_be_there_before() {
        assert_eq!(only_changed("a += 1; b++; --c; d ||= 1; e ??= 2; f **= 2"), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(
            only_changed("a = 1; a += 1; [b] = [1]; b++; for (c of d) c--; ({e} = f); ++e"),
            Vec::<String>::new()
        );
        assert_eq!(only_changed("o.a += 1; a == 1; b === c; x => x; 'a += 1'"), Vec::<String>::new());
        assert_eq!(only_changed("a += 1; eval('a = 1')"), Vec::<String>::new(), "what a text makes is not seen");
        let parts = assigned(&["a += 1", "a = 1", ""]);
        assert_eq!(parts.get("a"), Some(&Assigned::Made), "On Start makes it");
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
