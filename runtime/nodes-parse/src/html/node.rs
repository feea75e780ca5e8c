//! The html node.

use std::rc::Rc;

use scraper::{ElementRef, Html};

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Path, Value};

use super::query::parse;
use super::render::{attributes, inner_html, inner_xml};
use super::select::select;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("html", build);

struct HtmlNode {
    cx: NodeCx,
    property: Path,
    output: Path,
    tag: String,
    give: Give,
    /// A message for each element instead of one with all.
    each: bool,
    /// Where the content goes beside attributes.
    key: String,
}

#[derive(Clone, Copy)]
enum Give {
    /// The content as (XML) markup.
    Html,
    /// The text.
    Text,
    /// The attributes.
    Attributes,
    /// Attributes and content.
    Both,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let property = props::text(config, "property", "payload");
    let output = props::text(config, "outproperty", &property);
    let path = |text: &str| Path::message(text).map_err(|error| NodeError::new(error.to_string()));
    let give = match props::text(config, "ret", "html").as_str() {
        "text" => Give::Text,
        "attr" => Give::Attributes,
        "compl" => Give::Both,
        _ => Give::Html,
    };
    let node = HtmlNode {
        property: path(&property)?,
        output: path(&output)?,
        tag: props::text(config, "tag", ""),
        give,
        each: props::text(config, "as", "single") == "multi",
        key: props::text(config, "chr", "_"),
        cx: cx.clone(),
    };
    Ok(Rc::new(node))
}

impl Node for HtmlNode {
    fn receive(&self, msg: Msg) {
        let value = match msg.get_path(&self.property) {
            Ok(Value::Undefined) => {
                self.cx.out().send(msg.clone());
                return self.cx.report().done(&msg);
            }
            Ok(value) => value,
            Err(error) => return self.cx.report().error(error.to_string(), Some(&msg)),
        };
        match self.extract(&msg, &value) {
            Ok(found) => self.deliver(msg, found),
            Err(text) => self.cx.report().error(text, Some(&msg)),
        }
    }
}

impl HtmlNode {
    fn extract(&self, msg: &Msg, value: &Value) -> Result<Vec<Value>, String> {
        let page = match value {
            Value::String(_) | Value::Buffer(_) => value.to_text(),
            _ => return Err("cheerio.load() expects a string".to_owned()),
        };
        let select_by =
            if self.tag.is_empty() && msg.has("select") { msg.get("select") } else { Value::from(self.tag.as_str()) };
        let selector = if select_by.truthy() { select_by.to_text() } else { return Ok(Vec::new()) };
        let query = parse(&selector).map_err(|error| error.to_string())?;
        let document = Html::parse_document(&page);
        Ok(select(&document, &query).into_iter().map(|element| self.value(element)).collect())
    }

    fn value(&self, element: ElementRef<'_>) -> Value {
        match self.give {
            Give::Html => Value::from(inner_xml(element)),
            Give::Text => Value::from(element.text().collect::<String>()),
            Give::Attributes => Value::from(attributes(element)),
            Give::Both => {
                let mut both: Object = [(self.key.as_str(), inner_html(element))].into_iter().collect();
                for (name, value) in attributes(element).iter() {
                    both.insert(name.clone(), value.clone());
                }
                Value::from(both)
            }
        }
    }

    fn deliver(&self, mut msg: Msg, found: Vec<Value>) {
        if !self.each {
            if let Err(error) = msg.set_path(&self.output, Value::array(found), true) {
                return self.cx.report().error(error.to_string(), Some(&msg));
            }
            self.cx.out().send(msg.clone());
            return self.cx.report().done(&msg);
        }
        let count = found.len() as f64;
        for (index, value) in found.into_iter().enumerate().filter(|(_, value)| value.truthy()) {
            let mut out = msg.clone();
            if let Err(error) = out.set_path(&self.output, value, true) {
                return self.cx.report().error(error.to_string(), Some(&msg));
            }
            let parts = [
                ("id", Value::String(msg.id())),
                ("index", Value::Number(index as f64)),
                ("count", Value::Number(count)),
                ("type", Value::from("string")),
                ("ch", Value::from("")),
            ];
            out.set("parts", parts.into_iter().collect::<Object>());
            self.cx.out().send(out);
        }
        self.cx.report().done(&msg);
    }
}
