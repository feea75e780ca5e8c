//! The csv node.

use std::cell::RefCell;
use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Inert, Node, NodeCx, NodeError, Stateless};
use flotilla_value::{ErrorValue, Object, Str, Value};

use super::cells::{HeaderOut, Part, ReadOptions, WriteOptions};
use super::dialect::{Dialect, Failure, Source};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("csv", build);

struct Csv {
    cx: NodeCx,
    /// The older dialect: problems are warnings, where RFC 4180 mode has errors and a status.
    legacy: bool,
    list: String,
    read: ReadOptions,
    write: WriteOptions,
    /// All rows of a message go into one message.
    many: bool,
    state: RefCell<State>,
}

struct State {
    dialect: Dialect,
    header_sent: bool,
    warned: bool,
    /// Rows of the parts seen so far.
    rows: Vec<Value>,
    /// The parts whose rows wait: they keep their deliveries open.
    held: Vec<Msg>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let unescape = |text: String| text.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r");
    let legacy = props::text(config, "spec", "") != "rfc";
    let separator = unescape(props::text(config, "sep", ","));
    let newline = unescape(props::text(config, "ret", if legacy { "\n" } else { "\r\n" }));
    let header = match props::value(config, "hdrout") {
        Value::Bool(true) => HeaderOut::All,
        value => match value.as_str() {
            Some("all") => HeaderOut::All,
            Some("once") => HeaderOut::Once,
            _ => HeaderOut::None,
        },
    };
    let list = props::text(config, "temp", "");
    cx.report().status(Value::object());
    let Ok(dialect) = Dialect::new(legacy, &list) else {
        let text = cx.text("csv.errors.bad_template", &[]);
        cx.report().warn(text.clone());
        cx.report().show("red", "dot", text.as_str());
        cx.report().broken(text);
        return Ok(Rc::new(Inert::new(cx.clone())));
    };
    let read = ReadOptions {
        separator: separator.chars().next().unwrap_or(','),
        header: props::value(config, "hdrin") == Value::Bool(true),
        skip: usize::try_from(props::parse_int(&props::value(config, "skip")).unwrap_or(0)).unwrap_or(0),
        numbers: props::value(config, "strings").is_undefined() || props::value(config, "strings") == Value::Bool(true),
        keep_empty: props::flag(config, "include_empty_strings"),
        keep_null: props::flag(config, "include_null_values"),
    };
    let write = WriteOptions { separator: Str::from(separator), newline: Str::from(newline), header };
    let many = props::text(config, "multi", "one") != "one";
    let state = State { dialect, header_sent: false, warned: false, rows: Vec::new(), held: Vec::new() };
    Ok(Rc::new(Csv { cx, legacy, list, read, write, many, state: RefCell::new(state) }))
}

impl Node for Csv {
    fn receive(&self, msg: Msg) {
        if !self.legacy {
            self.cx.report().status(Value::object());
        }
        let reset = msg.has("reset");
        if reset {
            self.state.borrow_mut().header_sent = false;
        }
        let payload = msg.get("payload");
        match &payload {
            Value::Undefined if !msg.has("payload") => {
                if !reset {
                    self.cx.out().send(msg.clone());
                }
                self.cx.report().done(&msg);
            }
            Value::String(text) => self.read(msg, text),
            payload if payload.type_of() == "object" => self.write(msg, payload),
            _ => self.refuse(&msg),
        }
    }
}

impl Csv {
    fn refuse(&self, msg: &Msg) {
        let text = self.cx.text("csv.errors.csv_js", &[]);
        if self.legacy {
            self.cx.report().warn(text);
            self.cx.report().done(msg);
        } else {
            self.cx.report().show("red", "dot", text.clone());
            self.cx.report().error(error("Error", text), Some(msg));
        }
    }

    fn write(&self, mut msg: Msg, payload: &Value) {
        let mut state = self.state.borrow_mut();
        let later = msg.get("parts").get("index").as_number().is_some_and(|index| index > 0.0);
        let columns = msg.has("columns").then(|| msg.get("columns"));
        let columns = columns.map(|columns| if columns.truthy() { columns.to_text() } else { Str::default() });
        let source = Source {
            list: &self.list,
            columns: columns.as_deref(),
            keep_columns: later && Dialect::is_blank_list(&self.list),
        };
        let State { dialect, header_sent, .. } = &mut *state;
        let written = dialect.write(payload, &source, &self.write, header_sent);
        match written {
            Ok(written) => {
                if written.no_columns && !std::mem::replace(&mut state.warned, true) {
                    self.cx.report().warn(self.cx.text("csv.errors.obj_csv", &[]));
                }
                drop(state);
                msg.set("payload", written.text);
                msg.set("columns", written.columns);
                self.cx.out().send(msg.clone());
                self.cx.report().done(&msg);
            }
            Err(text) => self.cx.report().error(Value::Error(ErrorValue::new(text).into()), Some(&msg)),
        }
    }

    fn read(&self, mut msg: Msg, text: &str) {
        let parts = msg.get("parts");
        let number = |name: &str| parts.get(name).as_number().map(|number| number.max(0.0) as usize);
        let part = msg.has("parts").then(|| Part { index: number("index").unwrap_or(0), count: number("count") });
        let mut state = self.state.borrow_mut();
        let read = match state.dialect.read(text, &self.read, part.as_ref(), self.many) {
            Ok(Some(read)) => read,
            Ok(None) => return self.cx.report().done(&msg),
            Err(Failure { name, text, template }) => {
                if template {
                    self.cx.report().show("red", "dot", self.cx.text("csv.errors.bad_template", &[]));
                }
                return self.cx.report().error(error(name, text), Some(&msg));
            }
        };
        if read.unclosed {
            self.cx.report().warn(self.cx.text("csv.errors.bad_csv", &[]));
        }
        match (self.many, part) {
            (true, Some(part)) if read.line_ends <= 1 => {
                state.rows.extend(read.rows);
                if part.is_last() {
                    let rows = std::mem::take(&mut state.rows);
                    let held = std::mem::take(&mut state.held);
                    drop(state);
                    msg.set("payload", Value::array(rows));
                    msg.set("columns", read.columns);
                    msg.remove("parts");
                    self.cx.out().send(msg.clone());
                    drop(held);
                } else {
                    state.held.push(msg.clone());
                }
            }
            (true, _) => {
                drop(state);
                msg.set("columns", read.columns);
                msg.set("payload", Value::array(read.rows));
                self.cx.out().send(msg.clone());
            }
            (false, part) => {
                drop(state);
                self.send_rows(&msg, read.rows, &read.columns, part.as_ref());
            }
        }
        self.cx.report().done(&msg);
    }

    fn send_rows(&self, msg: &Msg, rows: Vec<Value>, columns: &str, part: Option<&Part>) {
        let count = rows.len();
        let last = part.is_some_and(Part::is_last);
        for (index, row) in rows.into_iter().enumerate() {
            let mut out = msg.clone();
            out.set("columns", columns);
            out.set("payload", row);
            out.set("parts", self.row_parts(msg, index, count, part.is_some()));
            if last {
                out.set("complete", true);
            }
            self.cx.out().send(out);
        }
        if last && count == 0 {
            self.cx.out().send(msg.with_object([("complete", true)].into_iter().collect()));
        }
    }

    /// Rows of one text are a sequence of their own; rows of a sequence's parts keep theirs, less the lines left out.
    fn row_parts(&self, msg: &Msg, index: usize, count: usize, in_sequence: bool) -> Value {
        if !in_sequence {
            let parts = [
                ("id", Value::String(msg.id())),
                ("index", Value::Number(index as f64)),
                ("count", Value::Number(count as f64)),
            ];
            return Value::from(parts.into_iter().collect::<Object>());
        }
        let mut parts = msg.get("parts");
        let left_out = self.read.skip as f64 + f64::from(u8::from(self.read.header));
        if let Some(parts) = parts.as_object_mut() {
            for name in ["index", "count"] {
                let number = parts.get(name).map_or(f64::NAN, Value::to_number);
                parts.insert(name, number - left_out);
            }
        }
        parts
    }
}

fn error(name: &str, text: String) -> Value {
    Value::Error(ErrorValue { name: Str::new(name), ..ErrorValue::new(text) }.into())
}
