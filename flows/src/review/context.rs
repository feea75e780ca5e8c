//! Context in the memory store that nodes use by their fields: typed inputs, JSONata, templates.

use serde_json::Value;

use crate::document::NodeConfig;
use crate::problem::Severity::Warning;

use super::finding::Says;
use super::rules::one;

/// Rules for nodes of any type but `function`.
pub(super) fn context_use(node: &NodeConfig) -> Vec<Says> {
    let props = Value::Object(node.props.clone().into_map());
    let template = node.kind == "template" && node.str("syntax") != "plain" && in_template(node.str("template"));
    if !in_fields(&props) && !template {
        return Vec::new();
    }
    let what = match node.kind.as_str() {
        "inject" => {
            "it takes a value from context in the memory store: each replica has its own, and any replica may fire"
        }
        _ => "it uses context in the memory store: each replica has its own",
    };
    let advice = "keep what the group must agree on in the shared store: choose `shared` beside the key, \
                  $flowContext(\"key\", \"shared\") in JSONata, {{flow[shared].key}} in templates";
    one(Warning, "memory-context", what, advice)
}

/// True when some typed input names a key of `flow` or `global` without a store, or JSONata reads one.
fn in_fields(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(in_fields),
        Value::Object(fields) => fields.iter().any(|(name, value)| match value {
            Value::String(text) if text == "flow" || text == "global" => match key_of(name) {
                Some(key) => {
                    fields.get(key).and_then(Value::as_str).is_some_and(|key| !key.is_empty() && !in_store(key))
                }
                None => false,
            },
            Value::String(text) => in_jsonata(text),
            other => in_fields(other),
        }),
        _ => false,
    }
}

/// The field that holds the key, of a field that says of what type it is: `pt` of `p`, `propertyType` of `property`.
fn key_of(kind: &str) -> Option<&str> {
    ["Type", "type", "t"].iter().find_map(|end| kind.strip_suffix(end)).filter(|key| !key.is_empty())
}

/// `#:(STORE)::key` names the store; `memory` is that of each replica.
fn in_store(key: &str) -> bool {
    key.strip_prefix("#:(").is_some_and(|rest| !rest.starts_with("memory)") && !rest.starts_with("default)"))
}

fn in_jsonata(text: &str) -> bool {
    ["$flowContext(", "$globalContext("].iter().any(|call| {
        text.match_indices(call).any(|(at, call)| {
            let rest = &text[at + call.len()..];
            let args = &rest[..rest.find(')').unwrap_or(rest.len())];
            // The second argument is the store.
            !args.contains(',')
        })
    })
}

/// `{{flow.key}}` and `{{global.key}}`, also as sections and without escaping.
fn in_template(text: &str) -> bool {
    text.split("{{").skip(1).any(|tag| {
        let name = tag.trim_start_matches(['{', '&', '#', '^', ' ']);
        name.starts_with("flow.") || name.starts_with("global.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn finds(node: Value) -> bool {
        let document = crate::Document::from_value(json!([node])).unwrap();
        !context_use(document.entries().first().unwrap()).is_empty()
    }

    #[test]
    fn context_is_seen_wherever_a_field_may_name_it() {
        for (node, expected) in [
            (json!({"id":"n","type":"change","rules":[{"t":"set","p":"n","pt":"flow","to":"1","tot":"num"}]}), true),
            (json!({"id":"n","type":"change","rules":[{"t":"set","p":"#:(shared)::n","pt":"flow"}]}), false),
            (json!({"id":"n","type":"change","rules":[{"t":"set","p":"a","pt":"msg","to":"flow","tot":"str"}]}), false),
            (json!({"id":"n","type":"inject","props":[{"p":"payload","v":"n","vt":"global"}]}), true),
            (json!({"id":"n","type":"inject","payload":"n","payloadType":"flow","props":[]}), true),
            (json!({"id":"n","type":"inject","payload":"","payloadType":"flow","props":[]}), false),
            (json!({"id":"n","type":"switch","property":"$flowContext('a') + 1","propertyType":"jsonata"}), true),
            (
                json!({"id":"n","type":"switch","property":"$flowContext('a', 'shared')","propertyType":"jsonata"}),
                false,
            ),
            (
                json!({"id":"n","type":"template","syntax":"mustache","template":"a {{#flow.list}}x{{/flow.list}}"}),
                true,
            ),
            (json!({"id":"n","type":"template","syntax":"mustache","template":"{{{ global.n }}}"}), true),
            (
                json!({"id":"n","type":"template","syntax":"mustache","template":"{{flow[shared].n}} {{payload}}"}),
                false,
            ),
            (json!({"id":"n","type":"template","syntax":"plain","template":"{{flow.n}}"}), false),
            (json!({"id":"n","type":"delay","timeout":"5"}), false),
        ] {
            assert_eq!(finds(node.clone()), expected, "{node}");
        }
    }
}
