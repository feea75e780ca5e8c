//! Reading as RFC 4180 says: quotes only around a whole cell, doubled inside.

use flotilla_value::{Object, Str, Value, string_to_number};

use super::cells::{Part, ReadOptions, quoted};

/// A cell: `None` when nothing stood between two separators, an empty text when quotes did.
pub(super) type Cell = Option<String>;

/// Why strict reading refused the text. Data lines are read leniently; column lists and header lines strictly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RfcError {
    /// RFC 4180 section 2.5
    #[error("Quote found in the middle of an unquoted field")]
    QuoteInCell,
    /// RFC 4180 section 2.5
    #[error("Data found after closing quote")]
    AfterQuote,
    /// RFC 4180 section 2.5
    #[error("Missing quote, unclosed cell")]
    Unclosed,
}

impl RfcError {
    /// The class that a catch node sees as the error's `name`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            RfcError::QuoteInCell => "UnquotedQuoteError",
            RfcError::AfterQuote => "DataAfterCloseError",
            RfcError::Unclosed => "ParseError",
        }
    }
}

/// The cells of a text, line by line; empty lines are left out.
struct Cells<'a> {
    text: &'a [char],
    at: usize,
    separator: char,
    strict: bool,
}

impl Cells<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    /// Reads all lines, or one.
    fn rows(&mut self, one: bool) -> Result<Vec<Vec<Cell>>, RfcError> {
        let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
        let (mut fresh, mut quoted, mut closed) = (true, false, false);
        while let Some(c) = self.peek(0) {
            if quoted {
                match (c, self.peek(1)) {
                    ('"', Some('"')) => {
                        cell.push('"');
                        self.at += 1;
                    }
                    ('"', _) => {
                        quoted = false;
                        closed = true;
                    }
                    (c, _) => cell.push(c),
                }
                self.at += 1;
                continue;
            }
            match c {
                c if c == self.separator => {
                    row.push(finish(&mut cell, fresh));
                    (fresh, closed) = (true, false);
                }
                '"' if fresh => (fresh, quoted) = (false, true),
                '"' if self.strict => return Err(RfcError::QuoteInCell),
                '"' => {
                    self.stray_quote(&mut cell);
                    continue;
                }
                '\r' | '\n' => {
                    end_row(&mut rows, &mut row, &mut cell);
                    if self.peek(1) == Some('\n') {
                        self.at += 1;
                    }
                    (fresh, closed) = (true, false);
                    if one {
                        self.at += 1;
                        return Ok(rows);
                    }
                }
                _ if closed && self.strict => return Err(RfcError::AfterQuote),
                _ if closed => {
                    // The quote did not close the cell after all: back to it, now as text.
                    closed = false;
                    self.at -= 1;
                    continue;
                }
                c => {
                    cell.push(c);
                    fresh = false;
                }
            }
            self.at += 1;
        }
        if quoted && self.strict {
            return Err(RfcError::Unclosed);
        }
        end_row(&mut rows, &mut row, &mut cell);
        Ok(rows)
    }

    /// A quote inside a cell without quotes: kept, unless the cell ends here; a doubled one counts once.
    fn stray_quote(&mut self, cell: &mut String) {
        self.at += 1;
        let Some(next) = self.peek(0) else { return };
        if next != self.separator && !matches!(next, '\r' | '\n') {
            cell.push('"');
            if next == '"' {
                self.at += 1;
            }
        }
    }
}

fn finish(cell: &mut String, fresh: bool) -> Cell {
    let text = std::mem::take(cell);
    if text.is_empty() && fresh { None } else { Some(text) }
}

fn end_row(rows: &mut Vec<Vec<Cell>>, row: &mut Vec<Cell>, cell: &mut String) {
    if !cell.is_empty() {
        row.push(finish(cell, false));
    }
    if !row.is_empty() {
        rows.push(std::mem::take(row));
    }
}

/// A list of column names, strictly; `None` when it is empty or of several lines.
pub(super) fn column_list(list: &str, separator: char) -> Result<Option<Vec<Cell>>, RfcError> {
    let text: Vec<char> = list.chars().collect();
    let mut rows = Cells { text: &text, at: 0, separator, strict: true }.rows(false)?;
    Ok(if rows.len() == 1 { rows.pop() } else { None })
}

/// True when there is any name.
pub(super) fn has_columns(columns: &[Cell]) -> bool {
    !matches!(columns, [] | [Some(_)]) || columns.iter().flatten().any(|name| !name.is_empty())
}

/// `msg.columns`: the names that are not empty, quoted where they must be, joined by commas.
pub(super) fn column_text(columns: &[Cell]) -> String {
    let names: Vec<String> =
        columns.iter().flatten().filter(|name| !name.is_empty()).map(|name| quote_cell(name, ",")).collect();
    names.join(",")
}

/// Quotes a cell that holds a quote, the separator or a line end.
pub(super) fn quote_cell(cell: &str, separator: &str) -> String {
    if cell.contains(['"', '\r', '\n']) || cell.contains(separator) { quoted(cell) } else { cell.to_owned() }
}

/// What a message's text holds.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    /// One object per line.
    pub(super) rows: Vec<Value>,
    /// The columns that named the cells, generated ones included.
    pub(super) columns: Vec<Cell>,
    /// The number of line ends in the text that was read.
    pub(super) line_ends: usize,
}

/// Reads a message's text; `None` when all of it was skipped. A header line replaces `columns` for good.
pub(super) fn read(
    text: &str,
    options: &ReadOptions,
    columns: &mut Vec<Cell>,
    part: Option<&Part>,
    many: bool,
) -> Result<Option<Read>, RfcError> {
    let text: Vec<char> = text.chars().collect();
    let mut first = part.is_none_or(|part| part.index <= options.skip);
    let mut lines = part.map_or(0, |part| part.index);
    let mut at = 0;
    if lines < options.skip {
        while at < text.len() && first && lines < options.skip {
            lines += usize::from(matches!(text[at], '\r' | '\n'));
            at += 1;
        }
        if at >= text.len() {
            return Ok(None);
        }
    }
    let line_ends = text[at..].iter().filter(|c| matches!(c, '\r' | '\n')).count();
    first |= part.is_some() && many && line_ends > 1;
    let mut cells = Cells { text: &text, at, separator: options.separator, strict: true };
    if first && options.header {
        *columns = cells.rows(true)?.pop().unwrap_or_default();
    }
    cells.strict = false;
    let lines = cells.rows(false)?;
    let columns = if has_columns(columns) {
        columns.clone()
    } else {
        (1..=lines.first().map_or(0, Vec::len)).map(|at| Some(format!("col{at}"))).collect()
    };
    let rows = lines.into_iter().map(|cells| row_of(cells, &columns, options)).filter(|row| !row.is_empty());
    Ok(Some(Read { rows: rows.map(Value::from).collect(), columns, line_ends }))
}

fn row_of(cells: Vec<Cell>, columns: &[Cell], options: &ReadOptions) -> Object {
    let mut row = Object::with_capacity(columns.len());
    let cells = cells.into_iter().chain(std::iter::repeat(None));
    for (column, cell) in columns.iter().zip(cells) {
        if let Some(column) = column.as_deref().filter(|name| !name.is_empty()) {
            let value = cell.map(|text| match number(&text) {
                Some(number) if options.numbers => Value::Number(number),
                _ => Value::String(Str::from(text)),
            });
            options.keep(&mut row, column, value);
        }
    }
    row
}

/// What JavaScript reads as a number, except with a `+` or a leading zero.
fn number(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(' ');
    let bare = digits.strip_prefix('-').unwrap_or(digits).as_bytes();
    let leading_zero = bare.first() == Some(&b'0') && bare.get(1).is_some_and(u8::is_ascii_digit);
    if text.is_empty() || digits.starts_with('+') || leading_zero {
        return None;
    }
    Some(string_to_number(text)).filter(|number| !number.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::stringify;

    fn options() -> ReadOptions {
        ReadOptions { separator: ',', header: false, skip: 0, numbers: true, keep_empty: true, keep_null: true }
    }

    fn rows(text: &str, list: &str, options: &ReadOptions) -> String {
        let mut columns = column_list(list, ',').unwrap().unwrap_or_else(|| vec![Some(String::new())]);
        let read = read(text, options, &mut columns, None, true).unwrap().unwrap();
        stringify(&Value::from(read.rows)).unwrap().unwrap()
    }

    #[test]
    fn cells_are_named_and_typed() {
        assert_eq!(
            rows("1,0x10,01,+1,x\r\n", "a,b,c,d,e", &options()),
            r#"[{"a":1,"b":16,"c":"01","d":"+1","e":"x"}]"#
        );
        assert_eq!(rows("a,,\"\",b", "", &options()), r#"[{"col1":"a","col2":null,"col3":"","col4":"b"}]"#);
        assert_eq!(rows("1", "a,b", &options()), r#"[{"a":1,"b":null}]"#);
    }

    #[test]
    fn quotes() {
        assert_eq!(rows("\"a,\"\"b\"\"\n\",2", "a,b", &options()), r#"[{"a":"a,\"b\"\n","b":2}]"#);
        assert_eq!(rows("a \"b\" c,\"x\"y", "a,b", &options()), r#"[{"a":"a \"b\" c","b":"x\"y"}]"#);
        assert_eq!(column_list("a\"b", ','), Err(RfcError::QuoteInCell));
        assert_eq!(column_list("\"a\"b", ','), Err(RfcError::AfterQuote));
        assert_eq!(column_list("\"a", ','), Err(RfcError::Unclosed));
    }

    #[test]
    fn header_and_skipped_lines() {
        let options = ReadOptions { header: true, skip: 1, ..options() };
        assert_eq!(rows("junk\n\"x,1\",y\n1,2\n", "", &options), r#"[{"x,1":1,"y":2}]"#);
        let mut columns = vec![Some(String::new())];
        assert_eq!(read("junk", &options, &mut columns, None, false), Ok(None));
        read("junk\n\"x,1\",y\n1,2\n", &options, &mut columns, None, false).unwrap();
        assert_eq!(column_text(&columns), "\"x,1\",y");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[a-z0-9,;\"\r\n é.-]{0,60}", list in "[a-z,\" ]{0,12}", header: bool, skip in 0usize..3) {
            let options = ReadOptions { header, skip, ..options() };
            let mut columns = column_list(&list, ',').ok().flatten().unwrap_or_default();
            let _ = read(&text, &options, &mut columns, Some(&Part { index: 1, count: None }), header);
        }
    }
}
