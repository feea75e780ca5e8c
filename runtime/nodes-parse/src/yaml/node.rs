//! The yaml node.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Path, Value};

use super::dump::dump;
use super::load::load;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("yaml", build);

struct Yaml {
    cx: NodeCx,
    property: Path,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let property = props::text(cx.config(), "property", "payload");
    let property = Path::message(&property).map_err(|error| NodeError::new(error.to_string()))?;
    Ok(Rc::new(Yaml { cx, property }))
}

impl Node for Yaml {
    fn receive(&self, mut msg: Msg) {
        let drop_with = |key: &str| {
            self.cx.report().warn(self.cx.text(key, &[]));
            self.cx.report().done(&msg);
        };
        let result = match msg.get_path(&self.property) {
            Err(error) => Err(error.to_string()),
            Ok(Value::Undefined) => {
                self.cx.out().send(msg.clone());
                return self.cx.report().done(&msg);
            }
            Ok(Value::String(text)) => load(&text).map_err(|error| error.to_string()),
            Ok(Value::Buffer(_)) => return drop_with("yaml.errors.dropped-object"),
            Ok(value) if value.type_of() == "object" => match dump(&value) {
                Ok(text) => Ok(Value::from(text)),
                Err(_) => Err(self.cx.text("yaml.errors.dropped-error", &[])),
            },
            Ok(_) => return drop_with("yaml.errors.dropped"),
        };
        let placed =
            result.and_then(|value| msg.set_path(&self.property, value, true).map_err(|error| error.to_string()));
        match placed {
            Ok(_) => {
                self.cx.out().send(msg.clone());
                self.cx.report().done(&msg);
            }
            Err(text) => self.cx.report().error(text, Some(&msg)),
        }
    }
}
