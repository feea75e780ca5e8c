//! The two dialects behind one face.

use flotilla_value::Value;

use super::cells::{Part, ReadOptions, WriteOptions, Written};
use super::rfc::{self, Cell};
pub(super) use super::source::Source;
use super::{legacy, legacy_write, rfc_write};

/// A dialect with the columns that it knows so far.
pub(super) enum Dialect {
    /// Node-RED's older one, still its default.
    Legacy(legacy::Columns),
    /// RFC 4180.
    Rfc(Vec<Cell>),
}

/// What a message's text holds.
pub(super) struct Read {
    /// One object per line.
    pub(super) rows: Vec<Value>,
    /// `msg.columns`
    pub(super) columns: String,
    /// A quote was never closed.
    pub(super) unclosed: bool,
    /// The number of line ends in the text.
    pub(super) line_ends: usize,
}

/// Why a text could not be read.
pub(super) struct Failure {
    /// The error's class.
    pub(super) name: &'static str,
    /// The error's text.
    pub(super) text: String,
    /// The header line is at fault.
    pub(super) template: bool,
}

impl Dialect {
    /// A dialect with the node's own list of columns; RFC 4180 mode refuses a malformed list.
    pub(super) fn new(legacy: bool, list: &str) -> Result<Dialect, rfc::RfcError> {
        Ok(if legacy {
            Dialect::Legacy(legacy::Columns::new(list))
        } else {
            Dialect::Rfc(rfc::column_list(list, ',')?.unwrap_or_else(|| vec![Some(String::new())]))
        })
    }

    /// True for a list without any name.
    pub(super) fn is_blank_list(list: &str) -> bool {
        list.trim().is_empty()
    }

    /// Reads a message's text; `None` when all of it was left out.
    pub(super) fn read(
        &mut self,
        text: &str,
        options: &ReadOptions,
        part: Option<&Part>,
        many: bool,
    ) -> Result<Option<Read>, Failure> {
        match self {
            Dialect::Legacy(columns) => {
                let read = legacy::read(text, options, columns, part, many);
                let legacy::Read { rows, unclosed, line_ends } = read;
                Ok(Some(Read { rows, columns: columns.text(), unclosed, line_ends }))
            }
            Dialect::Rfc(columns) => {
                let read = rfc::read(text, options, columns, part, many).map_err(|error| Failure {
                    name: error.name(),
                    text: error.to_string(),
                    template: true,
                })?;
                Ok(read.map(|read| Read {
                    columns: rfc::column_text(&read.columns),
                    rows: read.rows,
                    unclosed: false,
                    line_ends: read.line_ends,
                }))
            }
        }
    }

    /// Writes a payload as text.
    pub(super) fn write(
        &mut self,
        payload: &Value,
        source: &Source<'_>,
        options: &WriteOptions,
        header_sent: &mut bool,
    ) -> Result<Written, String> {
        match self {
            Dialect::Legacy(columns) => legacy_write::write(payload, source, options, columns, header_sent),
            Dialect::Rfc(columns) => rfc_write::write(payload, source, options, columns, header_sent),
        }
    }
}
