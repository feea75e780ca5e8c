//! One entry of a flow document.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::props::Props;

/// One entry: a node, a config node, a tab, a group, a subflow. Accessors are lenient, because that is what the editor
/// writes: `"60"` is a number, `""` is unset, a missing field is its default.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// The entry's id.
    pub id: String,
    /// The entry's type.
    pub kind: String,
    /// The tab or subflow that it is on; empty for global config nodes.
    pub z: String,
    /// The group that it is in, or empty.
    pub g: String,
    /// Its name, or empty.
    pub name: String,
    /// For each output the ids that it is wired to.
    pub wires: Vec<Vec<String>>,
    /// True when the editor disabled it (`d`; `disabled` on tabs).
    pub disabled: bool,
    /// Every field of the entry, as it stands in the document.
    pub props: Props,
}

impl NodeConfig {
    /// Reads an entry; what is missing or of another type is empty.
    pub fn from_props(props: Map<String, Value>) -> NodeConfig {
        let text = |key: &str| text_of(&props, key).into_owned();
        let kind = text("type");
        let wires = match props.get("wires") {
            Some(Value::Array(outputs)) => outputs.iter().map(targets).collect(),
            _ => Vec::new(),
        };
        let flag = |key: &str| props.get(key).and_then(Value::as_bool).unwrap_or(false);
        NodeConfig {
            id: text("id"),
            z: text("z"),
            g: text("g"),
            name: if kind == "tab" { text("label") } else { text("name") },
            disabled: flag("d") || (kind == "tab" && flag("disabled")),
            wires,
            kind,
            props: props.into(),
        }
    }

    /// A field as it stands.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.props.get(key)
    }

    /// A string field; empty when it is missing or not a string.
    pub fn str(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A field as text: strings as they are, numbers and bools printed, anything else empty.
    pub fn string_of(&self, key: &str) -> String {
        match self.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(flag)) => flag.to_string(),
            _ => String::new(),
        }
    }

    /// A string field; `None` when it is missing, empty or not a string.
    pub fn opt_str(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A number, also one in a string; `None` when unset or not a number.
    pub fn num(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if !text.trim().is_empty() => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        }
    }

    /// A whole number, also one in a string.
    pub fn int(&self, key: &str) -> Option<i64> {
        self.num(key).map(|number| number as i64)
    }

    /// True for `true`, `"true"` and numbers other than 0.
    pub fn bool(&self, key: &str) -> bool {
        self.bool_or(key, false)
    }

    /// As [`NodeConfig::bool`]; what is unset is `default`.
    pub fn bool_or(&self, key: &str, default: bool) -> bool {
        match self.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) if text == "true" => true,
            Some(Value::String(text)) if text == "false" => false,
            Some(Value::Number(number)) => number.as_f64().is_some_and(|number| number != 0.0),
            _ => default,
        }
    }

    /// For messages to people: the name, or type and id.
    pub fn label(&self) -> String {
        if self.name.is_empty() { format!("{}:{}", self.kind, self.id) } else { self.name.clone() }
    }
}

/// A field as text; empty when it is missing or neither a string nor a number.
pub(super) fn text_of<'a>(props: &'a Map<String, Value>, key: &str) -> Cow<'a, str> {
    match props.get(key) {
        Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
        Some(Value::Number(number)) => Cow::Owned(number.to_string()),
        _ => Cow::Borrowed(""),
    }
}

fn targets(output: &Value) -> Vec<String> {
    match output {
        Value::Array(ids) => ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        Value::String(id) => vec![id.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_the_editor_writes_them() {
        let props = serde_json::json!({"id":"a","type":"x","n":"60","e":"","b":"true","wires":[["b"],"c",null]});
        let Value::Object(props) = props else { unreachable!() };
        let node = NodeConfig::from_props(props);
        assert_eq!(node.num("n"), Some(60.0));
        assert_eq!(node.num("e"), None);
        assert!(node.bool("b"));
        assert_eq!(node.opt_str("e"), None);
        assert_eq!(node.wires, [vec!["b".to_owned()], vec!["c".to_owned()], vec![]]);
    }
}
