//! Writing in Node-RED's older dialect.

use flotilla_value::{Str, Value};

use super::cells::{
    HeaderOut, WriteOptions, Written, cell_of, ensure_string, keys_of, legacy_columns, quoted, rows_of,
};
use super::legacy::Columns;
use super::source::Source;

/// Writes a payload: an object, an array of objects, of arrays or of plain values. `header_sent` is kept between messages.
pub(super) fn write(
    payload: &Value,
    source: &Source<'_>,
    options: &WriteOptions,
    columns: &mut Columns,
    header_sent: &mut bool,
) -> Result<Written, String> {
    if !source.keep_columns {
        columns.replace(source.list, None);
    }
    let (rows, mut lines, mut no_columns) = (rows_of(payload), Vec::new(), false);
    if options.header != HeaderOut::None && !*header_sent {
        if columns.is_blank() {
            match source.columns {
                Some(list) => columns.replace(list, Some(",")),
                None => columns
                    .set(keys_of(rows.first().unwrap_or(&Value::Undefined))?.iter().map(Str::to_string).collect()),
            }
        }
        let separator = options.separator.as_str();
        let names = columns.names.iter().map(|n| if n.contains(separator) { format!("\"{n}\"") } else { n.clone() });
        lines.push(names.collect::<Vec<_>>().join(separator));
        *header_sent = options.header == HeaderOut::Once;
    }
    for (at, row) in rows.iter().enumerate() {
        match row {
            Value::Array(cells) => lines.push(array_row(cells, options)?),
            // An array of plain values is one row.
            plain if plain.type_of() != "object" => {
                if at > 0 {
                    return Err("csv rows of plain values and of objects are mixed in one payload".to_owned());
                }
                lines.push(array_row(&rows, options)?);
                break;
            }
            row => {
                if columns.is_blank()
                    && let Some(list) = source.columns
                {
                    columns.replace(list, Some(","));
                }
                if columns.is_blank() {
                    no_columns = true;
                    lines.push(unnamed_row(row, &rows[0], options)?);
                } else {
                    lines.push(named_row(row, columns, options)?);
                }
            }
        }
    }
    let text = lines.join(&options.newline) + &options.newline;
    Ok(Written { text, columns: legacy_columns(columns.names.iter().map(String::as_str)), no_columns })
}

fn cell(text: &str, quote: bool, options: &WriteOptions) -> String {
    if text.contains('"') || text.contains(options.separator.as_str()) || quote {
        quoted(text)
    } else {
        text.to_owned()
    }
}

fn array_row(cells: &[Value], options: &WriteOptions) -> Result<String, String> {
    let mut row = Vec::with_capacity(cells.len());
    for value in cells {
        let text = match value {
            Value::Undefined => Str::default(),
            Value::Null => return Err("Cannot read properties of null (reading 'toString')".to_owned()),
            other => other.to_text(),
        };
        row.push(cell(&text, text.contains('\n'), options));
    }
    Ok(row.join(&options.separator))
}

/// A row without known columns: the properties of the first row that are not objects.
fn unnamed_row(row: &Value, first: &Value, options: &WriteOptions) -> Result<String, String> {
    let mut cells = Vec::new();
    let own = keys_of(row)?;
    for name in keys_of(first)? {
        let value = cell_of(row, &name);
        if own.contains(&name) && value.type_of() != "object" {
            let text = if value.is_undefined() { Str::default() } else { value.to_text() };
            cells.push(cell(&text, name.contains('\n'), options));
        }
    }
    Ok(cells.join(&options.separator))
}

fn named_row(row: &Value, columns: &Columns, options: &WriteOptions) -> Result<String, String> {
    let mut cells = Vec::with_capacity(columns.names.len());
    for name in &columns.names {
        if name.is_empty() {
            cells.push(String::new());
            continue;
        }
        if row.is_nullish() {
            return Err(format!("Cannot read properties of {} (reading '{name}')", row.to_text()));
        }
        let text = match cell_of(row, name) {
            Value::Undefined => Str::default(),
            value => ensure_string(&value)?,
        };
        cells.push(cell(&text, text.contains('\n'), options));
    }
    Ok(cells.join(&options.separator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::parse_json;

    fn text(json: &str, list: &str, header: HeaderOut, columns: Option<&str>) -> Result<(String, String), String> {
        let options = WriteOptions { separator: ",".into(), newline: "\n".into(), header };
        let source = Source { list, columns, keep_columns: false };
        let payload = parse_json(json.as_bytes()).unwrap();
        let written = write(&payload, &source, &options, &mut Columns::new(list), &mut false)?;
        Ok((written.text, written.columns))
    }

    fn ok(json: &str, list: &str, header: HeaderOut) -> String {
        text(json, list, header, None).unwrap().0
    }

    #[test]
    fn objects_follow_the_columns() {
        assert_eq!(ok(r#"{"a":1,"b":"x,y","c":null}"#, "b,,a,d,c", HeaderOut::None), "\"x,y\",,1,,null\n");
        assert_eq!(ok(r#"[{"a":"q\"q"},{"a":"l\nl"}]"#, "a", HeaderOut::All), "a\n\"q\"\"q\"\n\"l\nl\"\n");
        assert_eq!(ok(r#"{"a":{"x":1},"b":[1]}"#, "a,b", HeaderOut::None), "\"{\"\"x\"\":1}\",[1]\n");
        assert_eq!(ok(r#"[{"a":1,"o":{},"b":2}]"#, "", HeaderOut::None), "1,2\n");
        assert_eq!(ok(r#"[{"a":1},{"b":2}]"#, "", HeaderOut::All), "a\n1\n\n");
    }

    #[test]
    fn arrays_are_rows() {
        assert_eq!(ok("[1,2,\"a,b\"]", "", HeaderOut::None), "1,2,\"a,b\"\n");
        assert_eq!(ok("[[1,2],[3,4]]", "", HeaderOut::None), "1,2\n3,4\n");
        assert!(text("[[1,null]]", "", HeaderOut::None, None).is_err());
        assert!(text("[]", "", HeaderOut::All, None).is_err());
    }

    #[test]
    fn the_message_may_name_the_columns() {
        let (text, columns) = text(r#"{"a":1,"b,c":2}"#, "", HeaderOut::All, Some("\"b,c\",a")).unwrap();
        assert_eq!((text.as_str(), columns.as_str()), ("\"b,c\",a\n2,1\n", "\"b,c\",a"));
    }
}
