//! The split node: one message becomes a sequence.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;

use flotilla_engine::message::{Msg, generate_id};
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{ErrorValue, Object, Path, Value, parse_json};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("split", build);

struct Split {
    cx: NodeCx,
    property: Path,
    property_name: String,
    by: By,
    /// Elements of an array that go together.
    group: usize,
    /// Messages are a stream: what follows the last separator is kept for the next message, and nothing has a count.
    stream: bool,
    /// Where the name of an object's property is put.
    name_to: Option<Path>,
    state: RefCell<State>,
}

/// What strings and buffers are cut at.
enum By {
    Text(String),
    Bytes { bytes: Vec<u8>, list: Value },
    Length(usize),
}

#[derive(Default)]
struct State {
    index: usize,
    text: String,
    bytes: Vec<u8>,
    /// The messages whose ends are kept: they hold their deliveries open.
    held: Vec<Msg>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let invalid = |why: String| NodeError::new(format!("Invalid split property: Error: {why}"));
    let property_name = props::text(config, "property", "payload");
    let path = |text: &str| Path::message(text).map_err(|error| NodeError::new(error.to_string()));
    let by = match props::text(config, "spltType", "str").as_str() {
        "bin" => {
            let list =
                parse_json(props::text(config, "splt", "").as_bytes()).map_err(|error| invalid(error.to_string()))?;
            let Some(numbers) = list.as_array() else { return Err(invalid("not an array".to_owned())) };
            let bytes: Vec<u8> = numbers.iter().map(|number| number.to_number() as i64 as u8).collect();
            if bytes.is_empty() {
                return Err(invalid("the list of bytes is empty".to_owned()));
            }
            By::Bytes { bytes, list }
        }
        "len" => {
            let given = props::value(config, "splt");
            match props::parse_int(&given).filter(|length| *length >= 1) {
                Some(length) => By::Length(length as usize),
                None => return Err(invalid(format!("invalid split length: {}", given.to_text()))),
            }
        }
        _ => By::Text(props::unescape(&props::text(config, "splt", "\\n"))),
    };
    let group = props::value(config, "arraySplt");
    let group = match &group {
        Value::Undefined => 1,
        given => match props::parse_int(given).filter(|length| *length >= 1) {
            Some(length) => length as usize,
            None => return Err(invalid(format!("invalid array split length: {}", given.to_text()))),
        },
    };
    let name_to = props::text(config, "addname", "");
    let node = Split {
        property: path(&property_name)?,
        property_name,
        by,
        group,
        stream: props::value(config, "stream") == Value::Bool(true),
        name_to: if name_to.is_empty() { None } else { Some(path(&name_to)?) },
        state: RefCell::default(),
        cx: cx.clone(),
    };
    Ok(Rc::new(node))
}

impl Node for Split {
    fn receive(&self, mut msg: Msg) {
        let value = match msg.get_path(&self.property) {
            Ok(Value::Undefined) => return,
            Ok(value) => value,
            Err(error) => {
                return self.cx.report().error(Value::Error(ErrorValue::new(error.to_string()).into()), Some(&msg));
            }
        };
        let original = msg.clone();
        let mut parts = Object::new();
        if let Some(outer) = msg.get_ref("parts") {
            parts.insert("parts", outer.clone());
        }
        parts.insert("id", generate_id());
        if self.property_name != "payload" {
            parts.insert("property", self.property_name.as_str());
        }
        msg.remove("_msgid");
        match &value {
            Value::String(text) => self.text(msg, parts, text, original),
            Value::Buffer(bytes) => self.bytes(msg, parts, bytes, original),
            Value::Array(items) if self.refuses(items.len().div_ceil(self.group), &original) => {}
            Value::Object(object) if self.refuses(object.len(), &original) => {}
            Value::Array(items) => {
                self.array(&msg, parts, items);
                self.cx.report().done(&original);
            }
            Value::Null => {
                let text = "Cannot convert undefined or null to object";
                self.cx.report().error(Value::Error(ErrorValue::new(text).into()), Some(&original));
            }
            Value::Object(object) => {
                self.object(&msg, parts, object);
                self.cx.report().done(&original);
            }
            _ => self.cx.report().done(&original),
        }
    }
}

/// More parts than this in one message are an error, unless the setting `splitMaxParts` says otherwise: each takes some 500
/// bytes while it waits.
const MAX_PARTS: f64 = 500_000.0;

impl Split {
    /// Refuses a message that would become too many. True when it was refused.
    fn refuses(&self, count: usize, original: &Msg) -> bool {
        let limit = self.cx.shared().settings().number("splitMaxParts").unwrap_or(MAX_PARTS);
        if count as f64 <= limit {
            return false;
        }
        let text = format!("The message has {count} parts, and {limit} are allowed (setting splitMaxParts)");
        self.cx.report().error(Value::Error(ErrorValue::with_code(text, "ERR_TOO_MANY_PARTS").into()), Some(original));
        true
    }

    /// Sends one part.
    fn part(&self, msg: &Msg, parts: &Object, index: usize, value: Value) {
        let mut out = msg.clone();
        if let Err(error) = out.set_path(&self.property, value, true) {
            return self.cx.report().error(error.to_string(), Some(msg));
        }
        let mut parts = parts.clone();
        parts.insert("index", index as f64);
        out.set("parts", parts);
        self.cx.out().send(out);
    }

    /// Sends the pieces of a string or buffer. In a stream the last one is returned instead: it may go on.
    fn pieces(&self, msg: &Msg, parts: &mut Object, mut pieces: Vec<Value>) -> Option<Value> {
        let rest = if self.stream {
            pieces.pop()
        } else {
            parts.insert("count", pieces.len() as f64);
            self.state.borrow_mut().index = 0;
            None
        };
        for piece in pieces {
            let index = {
                let mut state = self.state.borrow_mut();
                state.index += 1;
                state.index - 1
            };
            self.part(msg, parts, index, piece);
        }
        rest
    }

    fn text(&self, msg: Msg, mut parts: Object, text: &str, original: Msg) {
        let whole = std::mem::take(&mut self.state.borrow_mut().text) + text;
        parts.insert("type", "string");
        let mut pieces: Vec<Value> = match &self.by {
            By::Length(length) => {
                parts.insert("ch", "");
                parts.insert("len", *length as f64);
                let units: Vec<u16> = whole.encode_utf16().collect();
                units.chunks(*length).map(|chunk| Value::from(String::from_utf16_lossy(chunk))).collect()
            }
            By::Bytes { bytes, list } => {
                parts.insert("ch", list.clone());
                whole.split(&*String::from_utf8_lossy(bytes)).map(Value::from).collect()
            }
            By::Text(separator) => {
                parts.insert("ch", separator.as_str());
                whole.split(separator.as_str()).map(Value::from).collect()
            }
        };
        if self.refuses(pieces.len(), &original) {
            return;
        }
        let by_length = matches!(self.by, By::Length(_));
        if by_length && self.stream {
            self.stream_end(&mut pieces, |piece, length| piece.to_text().encode_utf16().count() == length);
        }
        let many = pieces.len() > 1;
        let rest = self.pieces(&msg, &mut parts, pieces);
        let rest = rest.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let complete = rest.is_empty();
        self.state.borrow_mut().text = rest;
        self.settle(many, complete, by_length, original);
    }

    fn bytes(&self, msg: Msg, mut parts: Object, bytes: &Bytes, original: Msg) {
        let mut whole = std::mem::take(&mut self.state.borrow_mut().bytes);
        whole.extend_from_slice(bytes);
        let whole = Bytes::from(whole);
        parts.insert("type", "buffer");
        let mut pieces: Vec<Value> = match &self.by {
            By::Length(length) => {
                parts.insert("len", *length as f64);
                (0..whole.len())
                    .step_by(*length)
                    .map(|at| whole.slice(at..whole.len().min(at + length)))
                    .map(Value::Buffer)
                    .collect()
            }
            By::Bytes { bytes, list } => {
                parts.insert("ch", list.clone());
                cut(&whole, bytes)
            }
            By::Text(separator) => {
                parts.insert("ch", separator.as_str());
                cut(&whole, separator.as_bytes())
            }
        };
        if self.refuses(pieces.len(), &original) {
            return;
        }
        if matches!(self.by, By::Length(_)) {
            if self.stream {
                self.stream_end(
                    &mut pieces,
                    |piece, length| matches!(piece, Value::Buffer(bytes) if bytes.len() == length),
                );
            }
        } else if !self.stream && matches!(pieces.last(), Some(Value::Buffer(last)) if last.is_empty()) {
            // Node-RED sends nothing for what follows a separator at the very end.
            pieces.pop();
        }
        let many = pieces.len() > 1;
        let rest = match self.pieces(&msg, &mut parts, pieces) {
            Some(Value::Buffer(rest)) => rest.to_vec(),
            _ => Vec::new(),
        };
        let complete = rest.is_empty();
        self.state.borrow_mut().bytes = rest;
        self.settle(many, complete, true, original);
    }

    /// By length, a last piece of full length needs no more: nothing is left over.
    fn stream_end(&self, pieces: &mut Vec<Value>, full: impl Fn(&Value, usize) -> bool) {
        let By::Length(length) = self.by else { return };
        if pieces.last().is_none_or(|last| full(last, length)) {
            pieces.push(Value::Undefined);
        }
    }

    /// Completes the messages that were waiting when pieces went out; `original` waits when its end is kept.
    fn settle(&self, many: bool, complete: bool, waits: bool, original: Msg) {
        let waiting = if many || complete { std::mem::take(&mut self.state.borrow_mut().held) } else { Vec::new() };
        if waits {
            for msg in &waiting {
                self.cx.report().done(msg);
            }
        }
        if complete {
            return self.cx.report().done(&original);
        }
        if !waits {
            self.cx.report().done(&original);
        }
        self.state.borrow_mut().held.push(original);
    }

    fn array(&self, msg: &Msg, mut parts: Object, items: &[Value]) {
        parts.insert("type", "array");
        parts.insert("count", items.len().div_ceil(self.group) as f64);
        parts.insert("len", self.group as f64);
        for (index, chunk) in items.chunks(self.group).enumerate() {
            let value = match chunk {
                [one] if self.group == 1 => one.clone(),
                many => Value::array(many.to_vec()),
            };
            self.part(msg, &parts, index, value);
        }
    }

    fn object(&self, msg: &Msg, mut parts: Object, object: &Object) {
        parts.insert("type", "object");
        parts.insert("count", object.len() as f64);
        for (index, (key, value)) in object.iter().enumerate() {
            let mut msg = msg.clone();
            if let Some(name_to) = &self.name_to
                && let Err(error) = msg.set_path(name_to, Value::String(key.clone()), true)
            {
                return self.cx.report().error(error.to_string(), Some(&msg));
            }
            parts.insert("key", key.clone());
            self.part(&msg, &parts, index, value.clone());
        }
    }
}

fn cut(whole: &Bytes, separator: &[u8]) -> Vec<Value> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    while at + separator.len() <= whole.len() {
        if whole[at..].starts_with(separator) {
            pieces.push(Value::Buffer(whole.slice(start..at)));
            at += separator.len();
            start = at;
        } else {
            at += 1;
        }
    }
    pieces.push(Value::Buffer(whole.slice(start..)));
    pieces
}
