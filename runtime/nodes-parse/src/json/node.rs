//! The json node.

use std::cell::RefCell;
use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{ErrorValue, Path, Value, parse_json, stringify_pretty};

use super::schema::{Problem, Schema, errors_text};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("json", build);

struct Json {
    cx: NodeCx,
    property: Path,
    action: Action,
    indent: usize,
    /// The last `msg.schema` and what became of it: most flows send the same one each time.
    schema: RefCell<Option<(Value, Rc<Schema>)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Text becomes an object, an object becomes text.
    Either,
    /// Always an object.
    Object,
    /// Always text.
    Text,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let property = props::text(config, "property", "payload");
    let property = Path::message(&property).map_err(|error| NodeError::new(error.to_string()))?;
    let action = match props::text(config, "action", "").as_str() {
        "obj" => Action::Object,
        "str" => Action::Text,
        _ => Action::Either,
    };
    let indent = if props::flag(config, "pretty") { 4 } else { 0 };
    Ok(Rc::new(Json { cx, property, action, indent, schema: RefCell::default() }))
}

impl Node for Json {
    fn receive(&self, mut msg: Msg) {
        let Ok(schema) = self.schema(&msg.get("schema")) else {
            let text = self.cx.text("json.errors.schema-error-compile", &[]);
            return self.cx.report().error(text, Some(&msg));
        };
        let value = match msg.get_path(&self.property) {
            Ok(value) => value,
            Err(error) => {
                return self.cx.report().error(Value::Error(ErrorValue::new(error.to_string()).into()), Some(&msg));
            }
        };
        let converted = match &value {
            Value::Undefined => {
                self.cx.out().send(msg.clone());
                return self.cx.report().done(&msg);
            }
            Value::String(_) | Value::Buffer(_) => self.parse(&value, schema.is_some()),
            Value::Bool(_) | Value::Number(_) => self.write(&value),
            value if value.type_of() == "object" => self.write(value),
            _ => Err(Refusal::Dropped("json.errors.dropped")),
        };
        let (checked, result) = match converted {
            Ok(pair) => pair,
            Err(Refusal::Failed(text)) => return self.cx.report().error(text, Some(&msg)),
            Err(Refusal::Dropped(key)) => {
                self.cx.report().warn(self.cx.text(key, &[]));
                return self.cx.report().done(&msg);
            }
        };
        if let Some(schema) = schema {
            let problems = schema.problems(&checked);
            if !problems.is_empty() {
                msg.set("schemaError", Value::array(problems.iter().map(Problem::value).collect()));
                let text = format!("{}: {}", self.cx.text("json.errors.schema-error", &[]), errors_text(&problems));
                return self.cx.report().error(text, Some(&msg));
            }
            msg.remove("schema");
        }
        if let Err(error) = msg.set_path(&self.property, result, true) {
            return self.cx.report().error(Value::Error(ErrorValue::new(error.to_string()).into()), Some(&msg));
        }
        self.cx.out().send(msg.clone());
        self.cx.report().done(&msg);
    }
}

enum Refusal {
    /// An error with this text.
    Failed(String),
    /// A warning with this text of the catalogue.
    Dropped(&'static str),
}

/// The value that a schema looks at, and what becomes of the property.
type Converted = Result<(Value, Value), Refusal>;

impl Json {
    fn schema(&self, given: &Value) -> Result<Option<Rc<Schema>>, ()> {
        if !given.truthy() {
            return Ok(None);
        }
        let mut known = self.schema.borrow_mut();
        if let Some((_, schema)) = known.as_ref().filter(|(last, _)| last == given) {
            return Ok(Some(schema.clone()));
        }
        *known = None;
        let schema = Rc::new(Schema::new(given).map_err(drop)?);
        *known = Some((given.clone(), schema.clone()));
        Ok(Some(schema))
    }

    fn parse(&self, value: &Value, check: bool) -> Converted {
        let parse = || {
            let bytes = match value {
                Value::Buffer(bytes) => bytes.to_vec(),
                other => other.to_text().as_bytes().to_vec(),
            };
            parse_json(&bytes).map_err(|error| Refusal::Failed(error.to_string()))
        };
        if self.action == Action::Text {
            let checked = if check { parse()? } else { Value::Undefined };
            return Ok((checked, value.clone()));
        }
        let parsed = parse()?;
        Ok((parsed.clone(), parsed))
    }

    fn write(&self, value: &Value) -> Converted {
        if self.action == Action::Object {
            return Ok((value.clone(), value.clone()));
        }
        match stringify_pretty(value, self.indent) {
            Ok(text) => Ok((value.clone(), text.map(Value::from).unwrap_or_default())),
            Err(_) => Err(Refusal::Failed(self.cx.text("json.errors.dropped-error", &[]))),
        }
    }
}
