//! The xml node.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{ErrorValue, Object, Path, Value};

use super::build::build as write;
use super::options::{BuildOptions, ReadOptions};
use super::read::read;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("xml", build);

struct Xml {
    cx: NodeCx,
    property: Path,
    attrkey: String,
    charkey: String,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let property =
        Path::message(&props::text(config, "property", "payload")).map_err(|e| NodeError::new(e.to_string()))?;
    let (attrkey, charkey) = (props::text(config, "attr", ""), props::text(config, "chr", ""));
    Ok(Rc::new(Xml { cx, property, attrkey, charkey }))
}

impl Node for Xml {
    fn receive(&self, mut msg: Msg) {
        let value = match msg.get_path(&self.property) {
            Ok(value) => value,
            Err(error) => return self.cx.report().error(error_value(error.to_string()), Some(&msg)),
        };
        let options = msg.get("options").as_object().cloned();
        let result = match &value {
            Value::Undefined => {
                self.cx.out().send(msg.clone());
                return self.cx.report().done(&msg);
            }
            Value::String(text) => {
                let options = self.read_options(options);
                let read = read(text, &ReadOptions::new(&options)).map_err(|error| error.to_string());
                if msg.has("options") {
                    msg.set("options", options);
                }
                read
            }
            value if value.type_of() == "object" => {
                let written = write(value, &BuildOptions::new(options.as_ref()));
                written.map(Value::from).map_err(|error| error.to_string())
            }
            _ => {
                self.cx.report().warn(self.cx.text("xml.errors.xml_js", &[]));
                return self.cx.report().done(&msg);
            }
        };
        let placed =
            result.and_then(|value| msg.set_path(&self.property, value, true).map_err(|error| error.to_string()));
        match placed {
            Ok(_) => {
                self.cx.out().send(msg.clone());
                self.cx.report().done(&msg);
            }
            Err(text) => self.cx.report().error(error_value(text), Some(&msg)),
        }
    }
}

impl Xml {
    /// Node-RED puts the node's keys into `msg.options`, where later nodes see them.
    fn read_options(&self, options: Option<Object>) -> Object {
        let mut options = options.unwrap_or_default();
        options.insert("async", true);
        for (name, own, default) in [("attrkey", &self.attrkey, "$"), ("charkey", &self.charkey, "_")] {
            let given = options.get(name).filter(|value| value.truthy()).map(Value::to_text);
            let key = if own.is_empty() { given.unwrap_or_else(|| default.into()) } else { own.as_str().into() };
            options.insert(name, key);
        }
        options
    }
}

fn error_value(text: String) -> Value {
    Value::Error(ErrorValue::new(text).into())
}
