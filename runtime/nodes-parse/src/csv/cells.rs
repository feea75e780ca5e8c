//! What both dialects share: the options, quoting, and cells as text.

use flotilla_value::{Object, Str, Value, stringify};

/// How text becomes cells.
#[derive(Clone, Debug)]
pub(super) struct ReadOptions {
    /// The separator; only its first character separates cells when reading.
    pub(super) separator: char,
    /// The first line holds the column names.
    pub(super) header: bool,
    /// Lines to leave out at the start.
    pub(super) skip: usize,
    /// Text that looks like a number becomes one.
    pub(super) numbers: bool,
    /// Keep `""` cells.
    pub(super) keep_empty: bool,
    /// Keep missing cells as null.
    pub(super) keep_null: bool,
}

/// When a line of column names is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderOut {
    /// Never.
    None,
    /// With the first message, until `msg.reset`.
    Once,
    /// With each message.
    All,
}

/// How objects become text.
#[derive(Clone, Debug)]
pub(super) struct WriteOptions {
    /// The separator.
    pub(super) separator: Str,
    /// The end of a line.
    pub(super) newline: Str,
    /// When column names are written.
    pub(super) header: HeaderOut,
}

/// What a message says about itself that reading depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Part {
    /// `msg.parts.index`
    pub(super) index: usize,
    /// `msg.parts.count`
    pub(super) count: Option<usize>,
}

/// What was written.
#[derive(Debug, PartialEq)]
pub(super) struct Written {
    /// The text.
    pub(super) text: String,
    /// `msg.columns`
    pub(super) columns: String,
    /// Objects were written without known columns.
    pub(super) no_columns: bool,
}

impl Part {
    /// True for the last part of a sequence whose length is known.
    pub(super) fn is_last(&self) -> bool {
        self.count.is_some_and(|count| self.index + 1 >= count)
    }
}

impl ReadOptions {
    /// Adds a cell to a row unless it is to be left out.
    pub(super) fn keep(&self, row: &mut Object, column: &str, cell: Option<Value>) {
        match cell {
            None if self.keep_null => {
                row.insert(column, Value::Null);
            }
            None => {}
            Some(Value::String(text)) if text.is_empty() && !self.keep_empty => {}
            Some(value) => {
                row.insert(column, value);
            }
        }
    }
}

/// Node-RED's `ensureString`: buffers as UTF-8, objects as JSON, the rest as JavaScript prints it.
pub(super) fn ensure_string(value: &Value) -> Result<Str, String> {
    match value {
        Value::Buffer(_) | Value::String(_) => Ok(value.to_text()),
        Value::Null => Ok(Str::new_static("null")),
        other if other.type_of() == "object" => {
            Ok(stringify(other).map_err(|error| error.to_string())?.map_or_else(|| other.to_text(), Str::from))
        }
        other => Ok(other.to_text()),
    }
}

/// The property names that `for (p in value)` visits.
pub(super) fn keys_of(value: &Value) -> Result<Vec<Str>, String> {
    Ok(match value {
        Value::Object(object) => object.keys().cloned().collect(),
        Value::Error(error) => error.props.keys().cloned().collect(),
        Value::Host(host) => host.keys(),
        Value::Array(items) => (0..items.len()).map(|at| Str::from(at.to_string())).collect(),
        Value::Buffer(bytes) => (0..bytes.len()).map(|at| Str::from(at.to_string())).collect(),
        Value::String(text) => (0..text.chars().count()).map(|at| Str::from(at.to_string())).collect(),
        Value::Undefined | Value::Null => return Err("Cannot convert undefined or null to object".to_owned()),
        _ => Vec::new(),
    })
}

/// A property of a row by column name, also of arrays and buffers.
pub(super) fn cell_of(row: &Value, column: &str) -> Value {
    match (row, column.parse::<usize>()) {
        (Value::Array(items), Ok(at)) => items.get(at).cloned().unwrap_or_default(),
        (Value::Buffer(bytes), Ok(at)) => bytes.get(at).map_or(Value::Undefined, |byte| Value::Number((*byte).into())),
        _ => row.get(column),
    }
}

/// The rows of a payload: an array's items, or the payload as the only row.
pub(super) fn rows_of(payload: &Value) -> Vec<Value> {
    match payload {
        Value::Array(items) => items.to_vec(),
        other => vec![other.clone()],
    }
}

/// Doubles quotes and puts the cell in quotes.
pub(super) fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

/// Column names for `msg.columns`: joined by commas, those with a comma in quotes.
pub(super) fn legacy_columns<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> =
        columns.map(|name| if name.contains(',') { format!("\"{name}\"") } else { name.to_owned() }).collect();
    names.join(",")
}
