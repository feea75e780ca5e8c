//! What function bodies give away.

use crate::document::NodeConfig;
use crate::problem::Severity::{Info, Warning};

use super::finding::Says;

const OBJECTS: [&str; 3] = ["flow", "global", "context"];

/// A call such as `flow.get("n", "shared")`.
#[derive(Debug, PartialEq)]
struct Call<'a> {
    object: &'static str,
    method: &'a str,
    key: Option<&'a str>,
    shared: bool,
    /// What is set is, or holds, a function written there.
    function: bool,
}

/// Rules for function nodes: context in the memory store, and updates that two replicas can lose.
pub(super) fn function_rules(node: &NodeConfig) -> Vec<Says> {
    let mut says = Vec::new();
    let bodies: Vec<&str> = ["func", "initialize", "finalize"].iter().map(|field| node.str(field)).collect();
    let calls: Vec<Call<'_>> = bodies.iter().flat_map(|body| calls(body)).collect();
    if calls.iter().any(|call| !call.shared) {
        let what = "it keeps state in the memory store: each replica has its own, and a new replica starts without";
        let advice = "keep what the group must agree on in the shared store, for example flow.get(\"n\", \"shared\")";
        says.push(Says::new(Warning, "memory-context", what, advice));
    }
    for set in calls.iter().filter(|call| call.method == "set" && call.shared) {
        let read = |call: &&Call<'_>| call.method == "get" && call.object == set.object && call.key == set.key;
        if let Some(key) = set.key.filter(|_| calls.iter().any(|call| read(&call))) {
            says.push(Says {
                severity: Warning,
                code: "lost-update",
                what: format!("it gets \"{key}\" and sets it again: if two replicas do this at once, one update is lost"),
                advice: format!(
                    "use {o}.incr(\"{key}\", 1, \"shared\") to count, or {o}.cas(\"{key}\", old, new, \"shared\") in a loop",
                    o = set.object
                ),
            });
        }
    }
    if let Some(set) = calls.iter().find(|call| call.method == "set" && call.function) {
        says.push(Says {
            severity: Warning,
            code: "function-in-context",
            what: format!(
                "it sets {} to something with a function in it: context keeps only data, and calling the function throws",
                { set.key.map_or_else(|| set.object.to_owned(), |key| format!("{}.\"{key}\"", set.object)) }
            ),
            advice: "put shared code into a module (require), a subflow or a link call".to_owned(),
        });
    }
    if bodies.iter().any(|body| body.contains("setInterval(")) {
        let what = "setInterval runs in every replica";
        says.push(Says::new(Info, "timer", what, "use an inject node: its ticks fire once for the whole group"));
    }
    says
}

/// Calls of `get`, `set` and `keys` on context objects, in order. A reader of text, not of JavaScript: what is in
/// comments counts too.
fn calls(body: &str) -> Vec<Call<'_>> {
    let mut found = Vec::new();
    for object in OBJECTS {
        for (at, _) in body.match_indices(object) {
            let before = body[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '.')) {
                continue;
            }
            let Some(rest) = body[at + object.len()..].trim_start().strip_prefix('.').map(str::trim_start) else {
                continue;
            };
            let method: &str = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            if !matches!(method, "get" | "set" | "keys") {
                continue;
            }
            let Some(args) = rest[method.len()..].trim_start().strip_prefix('(') else { continue };
            let args = argument_text(args);
            let shared = ["\"shared\"", "'shared'", "`shared`"].iter().any(|name| args.contains(name));
            let function = method == "set" && holds_function(args);
            found.push(Call { object, method, key: literal(args), shared, function });
        }
    }
    found
}

/// True when the value of a `set` is a function literal, or an object literal with one: `set("k", x => ...)`,
/// `set("k", { add(a, b) { ... } })`. A call that takes a function (`list.map(x => ...)`) gives data and does not count.
fn holds_function(args: &str) -> bool {
    let Some((_, value)) = args.split_once(',') else { return false };
    let value = value.trim_start();
    let is_function = |text: &str| {
        let text = text.trim_start();
        let text = text.strip_prefix("async ").unwrap_or(text).trim_start();
        let before_arrow = text.split("=>").next().unwrap_or_default();
        let parameters = before_arrow.trim();
        let names = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ',' | ' ');
        let arrow = text.contains("=>")
            && match parameters.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
                Some(inner) => !inner.contains(['(', ')']),
                None => !parameters.is_empty() && parameters.chars().all(names),
            };
        arrow
            || text
                .strip_prefix("function")
                .is_some_and(|rest| rest.trim_start().starts_with(['(', '*']) || rest.starts_with(' '))
    };
    if is_function(value) {
        return true;
    }
    let Some(inner) = value.strip_prefix('{') else { return false };
    inner.match_indices(':').any(|(at, _)| is_function(&inner[at + 1..]))
}

/// What stands between the opening parenthesis and its closing one.
fn argument_text(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// The first argument when it is a string literal.
fn literal(args: &str) -> Option<&str> {
    let args = args.trim_start();
    let quote = args.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    args[1..].split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found() {
        let found = calls(
            r#"const n = flow.get("n", 'shared') || 0; flow.set("n", n + 1, "shared"); msg.flow.get("x"); global . keys()"#,
        );
        assert_eq!(
            found,
            [
                Call { object: "flow", method: "get", key: Some("n"), shared: true, function: false },
                Call { object: "flow", method: "set", key: Some("n"), shared: true, function: false },
                Call { object: "global", method: "keys", key: None, shared: false, function: false },
            ]
        );
    }

    #[test]
    fn functions_that_are_set_are_seen() {
        for (body, function) in [
            ("global.set('lib', {add: (a, b) => a + b})", true),
            ("global.set('lib', { n: 1, add: function (a, b) { return a + b } }, 'shared')", true),
            ("flow.set('f', x => x * 2)", true),
            ("flow.set('f', async (x) => x)", true),
            ("flow.set('f', function () {})", true),
            ("flow.set('n', list.map(x => x * 2))", false),
            ("flow.set('n', (flow.get('n') || 0) + list.filter((x) => x).length)", false),
            ("flow.set('n', { total: list.reduce((a, b) => a + b, 0), at: Date.now() })", false),
            ("flow.set('n', functions)", false),
            ("flow.set('t', 'a => b'.length)", false),
        ] {
            assert_eq!(calls(body)[0].function, function, "{body}");
        }
    }
}
