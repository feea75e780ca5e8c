//! Writing as RFC 4180 says.

use flotilla_value::{Str, Value};

use super::cells::{HeaderOut, WriteOptions, Written, cell_of, ensure_string, keys_of, rows_of};
use super::rfc::{Cell, column_list, column_text, has_columns, quote_cell};
use super::source::Source;

/// Writes a payload: an object, an array of objects, of arrays or of plain values. `columns` and `header_sent` are kept
/// between messages.
pub(super) fn write(
    payload: &Value,
    source: &Source<'_>,
    options: &WriteOptions,
    columns: &mut Vec<Cell>,
    header_sent: &mut bool,
) -> Result<Written, String> {
    let rows = match payload {
        Value::Array(items) if items.first().is_some_and(|item| item.type_of() != "object") => vec![payload.clone()],
        payload => rows_of(payload),
    };
    if !source.keep_columns {
        *columns = parse(source.list)?;
    }
    let mut lines = Vec::with_capacity(rows.len() + 1);
    if options.header != HeaderOut::None && !*header_sent {
        if !has_columns(columns) {
            *columns = match source.columns {
                Some(list) => parse(list)?,
                None => names(&keys_of(rows.first().unwrap_or(&Value::Undefined))?),
            };
        }
        let names = columns.iter().map(|name| quote_cell(name.as_deref().unwrap_or_default(), &options.separator));
        lines.push(names.collect::<Vec<_>>().join(&options.separator));
        *header_sent = options.header == HeaderOut::Once;
    }
    let arrays = matches!(rows.first(), Some(Value::Array(_)));
    let mut no_columns = false;
    for row in &rows {
        if !arrays && !has_columns(columns) {
            if let Some(list) = source.columns {
                *columns = parse(list)?;
            }
            if !has_columns(columns) {
                no_columns = true;
                *columns = names(&keys_of(row)?);
                lines.push(unnamed_row(row, &rows[0], options)?);
                continue;
            }
        }
        lines.push(if arrays { array_row(row, columns, options)? } else { named_row(row, columns, options)? });
    }
    let text = lines.join(&options.newline) + &options.newline;
    Ok(Written { text, columns: column_text(columns), no_columns })
}

fn parse(list: &str) -> Result<Vec<Cell>, String> {
    let columns = column_list(list, ',').map_err(|error| error.to_string())?;
    Ok(columns.unwrap_or_else(|| vec![Some(String::new())]))
}

fn names(keys: &[Str]) -> Vec<Cell> {
    keys.iter().map(|key| Some(key.to_string())).collect()
}

fn cell(value: &Value, options: &WriteOptions) -> Result<String, String> {
    let text = if value.is_undefined() { Str::default() } else { ensure_string(value)? };
    Ok(quote_cell(&text, &options.separator))
}

/// A row of an array: as wide as the columns, when there are any; nameless columns are left empty.
fn array_row(row: &Value, columns: &[Cell], options: &WriteOptions) -> Result<String, String> {
    let items = row.as_array().ok_or("csv rows of arrays and of other values are mixed in one payload")?;
    let mut cells = Vec::with_capacity(items.len());
    if has_columns(columns) {
        for (at, name) in columns.iter().enumerate() {
            let named = name.as_deref().is_some_and(|name| !name.is_empty());
            cells.push(if named { cell(items.get(at).unwrap_or(&Value::Undefined), options)? } else { String::new() });
        }
    } else {
        for item in items {
            cells.push(cell(item, options)?);
        }
    }
    Ok(cells.join(&options.separator))
}

fn unnamed_row(row: &Value, first: &Value, options: &WriteOptions) -> Result<String, String> {
    let mut cells = Vec::new();
    let own = keys_of(row)?;
    for name in keys_of(first)? {
        let value = cell_of(row, &name);
        if own.contains(&name) && value.type_of() != "object" {
            let text = if value.is_undefined() { Str::default() } else { value.to_text() };
            cells.push(quote_cell(&text, &options.separator));
        }
    }
    Ok(cells.join(&options.separator))
}

fn named_row(row: &Value, columns: &[Cell], options: &WriteOptions) -> Result<String, String> {
    let mut cells = Vec::with_capacity(columns.len());
    for name in columns {
        match name.as_deref().filter(|name| !name.is_empty()) {
            None => cells.push(String::new()),
            Some(name) if row.is_nullish() => {
                return Err(format!("Cannot read properties of {} (reading '{name}')", row.to_text()));
            }
            Some(name) => cells.push(cell(&cell_of(row, name), options)?),
        }
    }
    Ok(cells.join(&options.separator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::parse_json;

    fn text(json: &str, list: &str, header: HeaderOut, columns: Option<&str>) -> Result<(String, String), String> {
        let options = WriteOptions { separator: ",".into(), newline: "\r\n".into(), header };
        let source = Source { list, columns, keep_columns: false };
        let payload = parse_json(json.as_bytes()).unwrap();
        let written = write(&payload, &source, &options, &mut Vec::new(), &mut false)?;
        Ok((written.text, written.columns))
    }

    #[test]
    fn objects_and_arrays() {
        let ok = |json, list, header| text(json, list, header, None).unwrap().0;
        assert_eq!(ok(r#"{"a":1,"b":"x,y"}"#, "b,,a", HeaderOut::All), "b,,a\r\n\"x,y\",,1\r\n");
        assert_eq!(ok(r#"[{"a":1,"b":2},{"b":3}]"#, "", HeaderOut::None), "1,2\r\n,3\r\n");
        assert_eq!(ok("[[1,2],[3]]", "", HeaderOut::None), "1,2\r\n3\r\n");
        assert_eq!(ok("[1,\"a\\rb\"]", "", HeaderOut::None), "1,\"a\rb\"\r\n");
        assert!(text("[]", "", HeaderOut::All, None).is_err());
        assert!(text("{}", "a\"", HeaderOut::All, None).is_err());
    }

    #[test]
    fn the_message_may_name_the_columns() {
        let (text, columns) = text(r#"{"a":1,"b,c":2}"#, "", HeaderOut::All, Some("\"b,c\",a")).unwrap();
        assert_eq!((text.as_str(), columns.as_str()), ("\"b,c\",a\r\n2,1\r\n", "\"b,c\",a"));
    }
}
