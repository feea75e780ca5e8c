//! What function nodes do beside their messages: when they start, and with modules.

use crate::document::NodeConfig;
use crate::known::{is_node_js, libs};
use crate::problem::Severity::{Error, Warning};

use super::finding::Says;

/// Rules for On Start code, and for modules.
pub(super) fn function_io(node: &NodeConfig) -> Vec<Says> {
    let mut says = Vec::new();
    let start = node.str("initialize");
    let sends = start.contains("node.send(");
    let waits = ["setInterval(", "setTimeout(", "fetch(", "require("].iter().any(|call| start.contains(call));
    let once =
        "let an inject node with \"inject once\" do it, once for the whole group: flotilla group set INJECT tick=one";
    if sends {
        let what = "its On Start code sends a message, in every replica and each time a replica starts";
        says.push(Says::new(Warning, "on-start", what, once));
    } else if waits {
        let what = "its On Start code does more than set variables, in every replica and each time a replica starts";
        says.push(Says::new(Warning, "on-start", what, once));
    }
    if let Some(module) = node_js_module(node) {
        says.push(Says {
            severity: Error,
            code: "node-js-module",
            what: format!("it needs the module {module}, a part of Node.js that functions do not have here: the node does not start"),
            advice: "use nodes instead: file, exec, http request, tcp request, udp out".to_owned(),
        });
    }
    says
}

/// A part of Node.js that is not in the sandbox, and that the node's `libs` or a `require` name.
fn node_js_module(node: &NodeConfig) -> Option<&str> {
    let asked = libs(node).into_iter().map(|(module, _)| module).find(|module| is_node_js(module));
    let code = ["func", "initialize", "finalize"].map(|field| node.str(field));
    asked.or_else(|| code.into_iter().flat_map(required).find(|module| is_node_js(module)))
}

/// What `require('...')` names in a text.
fn required(code: &str) -> impl Iterator<Item = &str> {
    code.match_indices("require(").filter_map(|(at, call)| {
        let rest = &code[at + call.len()..];
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        rest[1..].split(quote).next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn codes(node: serde_json::Value) -> Vec<&'static str> {
        let document = crate::Document::from_value(json!([node])).unwrap();
        function_io(document.entries().first().unwrap()).into_iter().map(|says| says.code).collect()
    }

    #[test]
    fn on_start_code_and_modules_are_looked_at() {
        for (node, expected) in [
            (json!({"id":"n","type":"function","initialize":"node.send({payload: 1});"}), &["on-start"][..]),
            (json!({"id":"n","type":"function","initialize":"setInterval(() => {}, 1000);"}), &["on-start"]),
            (json!({"id":"n","type":"function","initialize":"context.set('n', 0, 'shared');"}), &[]),
            (json!({"id":"n","type":"function","func":"node.send(msg);"}), &[]),
            (json!({"id":"n","type":"function","libs":[{"var":"fs","module":"node:fs"}]}), &["node-js-module"]),
            (json!({"id":"n","type":"function","func":"const c = require('child_process');"}), &["node-js-module"]),
            (json!({"id":"n","type":"function","libs":[{"var":"moment","module":"moment"}]}), &[]),
        ] {
            assert_eq!(codes(node.clone()), expected, "{node}");
        }
    }
}
