//! Reading in Node-RED's older dialect: quotes toggle anywhere in a cell, and numbers follow a narrow pattern.

use flotilla_value::{Object, Str, Value};

use super::cells::{Part, ReadOptions, legacy_columns};

/// The column names, which a header line or a message may replace.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    /// False when no names are known: cells are then named `col1`, `col2`, ...
    pub(super) known: bool,
    /// The separator of the last list of names: Node-RED keeps it for the next one that comes without.
    separator: String,
}

/// What a message's text holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read {
    /// One object per line that is not empty.
    pub(super) rows: Vec<Value>,
    /// A quote was never closed.
    pub(super) unclosed: bool,
    /// The number of line ends in the text.
    pub(super) line_ends: usize,
}

impl Columns {
    /// Columns from the node's own list, `separator` being the node's.
    pub(super) fn new(list: &str) -> Columns {
        let mut columns = Columns { names: Vec::new(), known: false, separator: ",".to_owned() };
        columns.replace(list, Some(","));
        columns
    }

    /// Reads a list of names; without a separator the last one counts.
    pub(super) fn replace(&mut self, list: &str, separator: Option<&str>) {
        if let Some(separator) = separator {
            separator.clone_into(&mut self.separator);
        }
        self.names = split_outside_quotes(list.trim(), &self.separator)
            .into_iter()
            .map(|name| name.replace('"', "").trim().to_owned())
            .collect();
        self.known = !(self.names.len() == 1 && self.names[0].is_empty());
    }

    /// Takes these names as they are.
    pub(super) fn set(&mut self, names: Vec<String>) {
        self.names = names;
    }

    /// True when there is no name at all.
    pub(super) fn is_blank(&self) -> bool {
        self.names.len() == 1 && self.names[0].is_empty()
    }

    /// `msg.columns` after reading: the names that are not empty.
    pub(super) fn text(&self) -> String {
        legacy_columns(self.names.iter().map(String::as_str).filter(|name| !name.is_empty()))
    }

    fn name(&mut self, at: usize) -> Option<&str> {
        if !self.known {
            if self.names.len() <= at {
                self.names.resize(at + 1, String::new());
            }
            self.names[at] = format!("col{}", at + 1);
        }
        self.names.get(at).map(String::as_str).filter(|name| !name.is_empty())
    }
}

/// Splits where an even number of quotes follows, as Node-RED's pattern does.
fn split_outside_quotes(text: &str, separator: &str) -> Vec<String> {
    if separator.is_empty() {
        return vec![text.to_owned()];
    }
    let total = text.matches('"').count();
    let (mut pieces, mut start, mut at, mut seen) = (Vec::new(), 0, 0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(separator) && (total - seen - separator.matches('"').count()).is_multiple_of(2) {
            pieces.push(text[start..at].to_owned());
            at += separator.len();
            start = at;
            continue;
        }
        let c = rest.chars().next().map_or(1, |c| {
            seen += usize::from(c == '"');
            c.len_utf8()
        });
        at += c;
    }
    pieces.push(text[start..].to_owned());
    pieces
}

/// The number that a cell is: `-` and digits, one point, an exponent; no leading zeros, no `+`, no white space inside.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let bytes = digits.as_bytes();
    let leading_zero = bytes.first() == Some(&b'0') && bytes.get(1).is_some_and(u8::is_ascii_digit);
    if leading_zero || !bytes.last()?.is_ascii_digit() || matches!(bytes[0], b'e' | b'E') {
        return None;
    }
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    if mantissa.bytes().filter(|byte| *byte == b'.').count() > 1
        || !mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix('-').unwrap_or(exponent);
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        if !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    // `parseFloat` takes what it understands: "1e-+5" is 1.
    Some(flotilla_value::parse_float(text)).filter(|number| !number.is_nan())
}

struct Line<'a> {
    options: &'a ReadOptions,
    columns: &'a mut Columns,
    row: Object,
    /// The cell being read; `None` when nothing stood between two separators.
    cell: Option<String>,
    at: usize,
}

impl Line<'_> {
    fn end_cell(&mut self, missing: bool) {
        let cell = self.cell.take().filter(|_| !missing);
        if let Some(name) = self.columns.name(self.at) {
            let value = cell.map(|text| match number(&text) {
                Some(number) if self.options.numbers => Value::Number(number),
                _ => Value::String(Str::from(text)),
            });
            self.options.keep(&mut self.row, name, value);
        }
    }

    fn end_row(&mut self, rows: &mut Vec<Value>) {
        let row = std::mem::take(&mut self.row);
        if !row.is_empty() {
            rows.push(Value::from(row));
        }
        self.at = 0;
        self.cell = Some(String::new());
    }

    fn push(&mut self, c: char) {
        self.cell.get_or_insert_default().push(c);
    }
}

/// Reads a message's text. With `many` (all rows in one message), a part with several lines begins with a header again.
pub(super) fn read(text: &str, options: &ReadOptions, columns: &mut Columns, part: Option<&Part>, many: bool) -> Read {
    let line_ends = text.bytes().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    let mut first = part.is_none_or(|part| part.index <= options.skip) || (many && line_ends > 1);
    let mut lines = part.map_or(0, |part| part.index);
    let (mut rows, mut header, mut outside, mut before) = (Vec::new(), String::new(), true, None);
    let mut line = Line { options, columns, row: Object::new(), cell: Some(String::new()), at: 0 };
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let previous = before.replace(c);
        let last = chars.peek().is_none();
        if first && lines < options.skip {
            lines += usize::from(c == '\n');
            continue;
        }
        if options.header && first {
            let end = matches!(c, '\r' | '\n');
            if !end || last {
                header.push(c);
            }
            if end || last {
                line.columns.replace(&header, Some(options.separator.encode_utf8(&mut [0; 4])));
                first = false;
            }
            continue;
        }
        match c {
            '"' => {
                outside = !outside;
                if previous == Some('"') && !outside {
                    line.push('"');
                }
            }
            c if c == options.separator && outside => {
                line.end_cell(previous.is_none_or(|before| before == options.separator || before == '\n'));
                line.at += 1;
                line.cell = (!last).then(String::new);
            }
            '\r' | '\n' if outside => {
                line.end_cell(previous == Some(options.separator));
                line.end_row(&mut rows);
            }
            c => line.push(c),
        }
    }
    line.end_cell(false);
    line.end_row(&mut rows);
    Read { rows, unclosed: !outside, line_ends }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::stringify;

    fn options() -> ReadOptions {
        ReadOptions { separator: ',', header: false, skip: 0, numbers: true, keep_empty: false, keep_null: false }
    }

    fn rows(text: &str, list: &str, options: &ReadOptions) -> String {
        let read = read(text, options, &mut Columns::new(list), None, true);
        stringify(&Value::from(read.rows)).unwrap().unwrap()
    }

    #[test]
    fn cells_are_named_and_typed() {
        assert_eq!(rows("1,-2.5,x\n", "a,b,c", &options()), r#"[{"a":1,"b":-2.5,"c":"x"}]"#);
        assert_eq!(rows("1,2", "", &options()), r#"[{"col1":1,"col2":2}]"#);
        assert_eq!(
            rows("01,+2,0x3,4e2,-0", "a,b,c,d,e", &options()),
            r#"[{"a":"01","b":"+2","c":"0x3","d":400,"e":0}]"#
        );
        assert_eq!(rows("1,2,3", "a,,c", &options()), r#"[{"a":1,"c":3}]"#);
    }

    #[test]
    fn quotes_hold_separators_quotes_and_line_ends() {
        assert_eq!(
            rows("\"a,b\",\"say \"\"x\"\"\",\"1\n2\"", "a,b,c", &options()),
            r#"[{"a":"a,b","b":"say \"x\"","c":"1\n2"}]"#
        );
        assert!(read("\"open", &options(), &mut Columns::new(""), None, true).unclosed);
    }

    #[test]
    fn empty_and_missing_cells_are_kept_when_asked_for() {
        let keep = ReadOptions { keep_empty: true, keep_null: true, ..options() };
        assert_eq!(rows("1,,\"\",", "a,b,c,d", &keep), r#"[{"a":1,"b":null,"c":"","d":null}]"#);
        assert_eq!(rows(",1\n,2", "a,b", &keep), r#"[{"a":null,"b":1},{"a":null,"b":2}]"#);
        assert_eq!(rows("1,,\"\",", "a,b,c,d", &options()), r#"[{"a":1}]"#);
    }

    #[test]
    fn header_and_skipped_lines() {
        let options = ReadOptions { header: true, skip: 1, ..options() };
        assert_eq!(rows("junk\r\n\"x,1\",y\r\n1,2\r\n", "", &options), r#"[{"x,1":1,"y":2}]"#);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[a-z0-9,;\"\r\n é.-]{0,60}", list in "[a-z,\" ]{0,12}", header: bool, skip in 0usize..3) {
            let options = ReadOptions { header, skip, ..options() };
            read(&text, &options, &mut Columns::new(&list), Some(&Part { index: 1, count: None }), header);
        }
    }
}
