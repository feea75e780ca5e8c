//! The template node: fills a Mustache template in.

use std::cell::RefCell;
use std::rc::Rc;

use flotilla_engine::expression::{ExpressionError, NodeLookup, Template as Mustache, context_set};
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_nodes_parse::yaml::load_yaml;
use flotilla_value::{Path, Value, parse_json};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("template", build);

struct Template {
    cx: NodeCx,
    text: Option<String>,
    mustache: bool,
    output: String,
    field: String,
    field_type: String,
    /// The last template and what became of it: it is nearly always the same.
    parsed: RefCell<Option<(String, Rc<Mustache>)>>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let text = |name: &str, default: &str| props::text(config, name, default);
    let template = props::value(config, "template");
    Ok(Rc::new(Template {
        text: (!template.is_nullish()).then(|| template.to_text().to_string()),
        mustache: text("syntax", "mustache") == "mustache",
        output: text("output", "str"),
        field: text("field", "payload"),
        field_type: text("fieldType", "msg"),
        parsed: RefCell::default(),
        cx,
    }))
}

impl Template {
    fn mustache(&self, text: &str) -> Result<Rc<Mustache>, ExpressionError> {
        let mut parsed = self.parsed.borrow_mut();
        if let Some((_, ready)) = parsed.as_ref().filter(|(source, _)| source == text) {
            return Ok(ready.clone());
        }
        let ready = Rc::new(Mustache::parse(text)?);
        *parsed = Some((text.to_owned(), ready.clone()));
        Ok(ready)
    }

    fn value(&self, msg: &Msg) -> Result<Value, ExpressionError> {
        let own = self.text.as_deref().unwrap_or_default();
        let text = match msg.get_ref("template") {
            Some(given) if own.is_empty() => given.to_text().to_string(),
            _ => own.to_owned(),
        };
        let filled = if self.mustache {
            let lookup = NodeLookup { around: &self.cx, json: self.output == "json" };
            self.mustache(&text)?.render(&msg.value(), &lookup)?
        } else {
            text
        };
        match self.output.as_str() {
            "json" => Ok(parse_json(filled.as_bytes())?),
            "yaml" => load_yaml(&filled).map_err(|error| ExpressionError::new(error.to_string())),
            _ => Ok(Value::from(filled)),
        }
    }

    fn apply(&self, msg: &mut Msg) -> Result<(), ExpressionError> {
        let value = self.value(msg)?;
        if self.field_type == "msg" {
            msg.set_path(&Path::message(&self.field)?, value, true)?;
            return Ok(());
        }
        context_set(&self.cx, self.field_type == "global", &self.field, Some(&msg.value()), value)
    }
}

impl Node for Template {
    fn receive(&self, mut msg: Msg) {
        match self.apply(&mut msg) {
            Ok(()) => {
                self.cx.out().send(msg.clone());
                self.cx.report().done(&msg);
            }
            Err(error) => self.cx.report().error(error.message, Some(&msg)),
        }
    }
}
