//! `$moment(...).format(...)`: JSONata values have no methods, so such chains become one call.

use jsonata_core::ast::AstNode;
use serde_json::{Value as Json, json};

/// The function that a chain becomes a call of.
pub(super) const CHAIN: &str = "momentChain";

/// Replaces each chain of method calls on `$moment(...)` by one call. Walks the tree in its serialised form, which is the
/// only one that shows every kind of node alike.
pub(super) fn rewrite(ast: AstNode) -> AstNode {
    let Ok(mut tree) = serde_json::to_value(&ast) else { return ast };
    walk(&mut tree);
    serde_json::from_value(tree).unwrap_or(ast)
}

fn walk(at: &mut Json) {
    match at {
        Json::Array(items) => items.iter_mut().for_each(walk),
        Json::Object(map) => {
            map.values_mut().for_each(walk);
            if let Some(steps) = map.get_mut("Path").and_then(|path| path.get_mut("steps")).and_then(Json::as_array_mut)
            {
                join(steps);
            }
        }
        _ => {}
    }
}

/// Name and arguments of a call: `$name(...)`, or `name(...)` as a method is written.
fn call(step: &Json) -> Option<(String, Json)> {
    let node = step.get("node")?;
    // A step that is called is an application; so are methods.
    let node = node.get("FunctionApplication").unwrap_or(node);
    if let Some(function) = node.get("Function") {
        return Some((function.get("name")?.as_str()?.to_owned(), function.get("args")?.clone()));
    }
    let call = node.get("Call")?;
    let procedure = call.get("procedure")?;
    let name = procedure.get("Name").or_else(|| procedure.pointer("/Path/steps/0/node/Name"))?;
    Some((name.as_str()?.to_owned(), call.get("args")?.clone()))
}

fn join(steps: &mut Vec<Json>) {
    let Some((name, args)) = steps.first().and_then(call) else { return };
    if name != "moment" {
        return;
    }
    let methods: Vec<(String, Json)> = steps[1..].iter().map_while(call).collect();
    if methods.is_empty() {
        return;
    }
    let mut joined = vec![json!({ "Array": args })];
    for (name, args) in &methods {
        joined.push(json!({ "String": name }));
        joined.push(json!({ "Array": args }));
    }
    steps.drain(1..=methods.len());
    steps[0]["node"] = json!({"Function": {"name": CHAIN, "args": joined, "is_builtin": true}});
}
