//! The rules of a change node, as the edit dialog and older versions of it write them.

use std::rc::Rc;

use flotilla_flows::NodeConfig;

use flotilla_engine::NodeCx;
use flotilla_engine::expression::{ExpressionError, Regexp, Typed, escape_regexp};
use flotilla_engine::props;
use flotilla_value::{Object, Path, Value};

/// Where a property is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// In the message; a malformed path fails when it is used.
    Message(Result<Path, String>),
    /// In the flow's or (`global`) everyone's context, by the typed input's key.
    Context { global: bool, key: String },
    /// Of a kind that cannot be written.
    Nowhere,
}

/// What a `change` rule looks for.
pub(super) enum From {
    /// A text or pattern that was given; `exact` when the whole value may also be equal to it.
    Given { text: String, kind: String, regexp: Rc<Regexp> },
    /// Read for each message.
    Read(Typed),
}

/// What a rule does.
pub(super) enum Action {
    Set {
        value: Typed,
        /// The property of the message that the value is from, if it is not to be a deep copy of it.
        source: Option<Path>,
    },
    Change {
        from: From,
        value: Typed,
        to_kind: String,
    },
    Delete,
    /// Through a temporary property when one is inside the other.
    Move {
        to: Place,
        /// The target as it is written, for messages.
        to_property: String,
        nested: bool,
    },
    /// An unknown kind of rule changes nothing.
    Nothing,
}

/// One rule.
pub(super) struct Rule {
    pub(super) place: Place,
    /// The property as it is written, for messages.
    pub(super) property: String,
    pub(super) action: Action,
}

/// The place that a typed input of these two parts names.
pub(super) fn place(kind: &str, property: &str) -> Place {
    match kind {
        "flow" | "global" => Place::Context { global: kind == "global", key: property.to_owned() },
        "msg" => Place::Message(Path::message(property).map_err(|error| error.to_string())),
        _ => Place::Nowhere,
    }
}

/// The rules of the node; those of versions before 0.12 stood in the node itself.
pub(super) fn sources(config: &NodeConfig) -> Vec<Value> {
    if let Value::Array(rules) = props::value(config, "rules") {
        return rules.to_vec();
    }
    let action = config.str("action");
    let mut rule = Object::new();
    rule.insert("t", if action == "replace" { "set" } else { action });
    rule.insert("p", config.str("property"));
    rule.insert("to", config.str("to"));
    if action == "change" {
        rule.insert("from", config.str("from"));
        rule.insert("re", config.get("reg").is_some_and(serde_json::Value::is_null) || config.bool("reg"));
    }
    vec![rule.into()]
}

/// Why a rule cannot be used, as a key of the catalogue and the library's words.
pub(super) struct Invalid {
    pub(super) key: &'static str,
    pub(super) error: String,
}

fn invalid(key: &'static str) -> impl Fn(ExpressionError) -> Invalid {
    move |error| Invalid { key, error: error.message }
}

fn target(rule: &Value, kind: &str, cx: &NodeCx) -> Result<Typed, Invalid> {
    let value = rule.get("to");
    match kind {
        "json" | "bin" => {
            let text = value.to_text();
            flotilla_value::parse_json(text.as_bytes())
                .map_err(|error| Invalid { key: "change.errors.invalid-json", error: error.to_string() })?;
        }
        // Read once, when the node starts.
        "env" => {
            let typed = Typed::prepare("env", &value).map_err(invalid("change.errors.invalid-expr"))?;
            let value = typed.evaluate(cx, &Value::Undefined).map_err(invalid("change.errors.invalid-expr"))?;
            return Ok(Typed::fixed(value));
        }
        _ => {}
    }
    let known = ["str", "num", "json", "bin", "msg", "flow", "global", "date", "jsonata", "bool"].contains(&kind);
    if !known || kind == "str" {
        return Ok(Typed::fixed(value));
    }
    Typed::prepare(kind, &value).map_err(invalid("change.errors.invalid-expr"))
}

fn source(rule: &Value, kind: &str) -> Result<From, Invalid> {
    let from = rule.get("from");
    if matches!(kind, "msg" | "flow" | "global") {
        return Typed::prepare(kind, &from).map(From::Read).map_err(invalid("change.errors.invalid-from"));
    }
    let text = from.to_text().to_string();
    let pattern = if kind == "re" { text.clone() } else { escape_regexp(&text) };
    let regexp = Regexp::new(&pattern, "g").map_err(invalid("change.errors.invalid-from"))?;
    Ok(From::Given { text, kind: kind.to_owned(), regexp: Rc::new(regexp) })
}

impl Rule {
    /// Reads a rule.
    pub(super) fn prepare(rule: &Value, cx: &NodeCx) -> Result<Rule, Invalid> {
        let field = |name: &str, default: &str| {
            let value = rule.get(name);
            if value.truthy() { value.to_text().to_string() } else { default.to_owned() }
        };
        let (kind, property, place_kind) = (field("t", ""), field("p", ""), field("pt", "msg"));
        let mut rule = rule.clone();
        let mut to_kind = field("tot", "");
        if to_kind.is_empty() {
            to_kind = "str".to_owned();
            if kind == "set"
                && let Some(rest) = rule.get("to").as_str().and_then(|to| to.strip_prefix("msg."))
            {
                let rest = Value::from(rest);
                to_kind = "msg".to_owned();
                rule.as_object_mut().map(|object| object.insert("to", rest));
            }
        }
        let from_kind = if rule.get("re").truthy() { "re".to_owned() } else { field("fromt", "str") };
        let action = match kind.as_str() {
            "set" => {
                let from_message = to_kind == "msg" && !rule.get("dc").truthy();
                let source = from_message.then(|| Path::message(&rule.get("to").to_text()).ok()).flatten();
                Action::Set { value: target(&rule, &to_kind, cx)?, source }
            }
            "change" => {
                Action::Change { from: source(&rule, &from_kind)?, value: target(&rule, &to_kind, cx)?, to_kind }
            }
            "delete" => Action::Delete,
            "move" => {
                let to = rule.get("to").to_text();
                let nested = to_kind == place_kind && (!property.contains(to.as_str()) || property == to);
                Action::Move { to: place(&to_kind, &to), to_property: to.to_string(), nested }
            }
            _ => Action::Nothing,
        };
        Ok(Rule { place: place(&place_kind, &property), property, action })
    }
}
