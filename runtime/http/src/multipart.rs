//! `multipart/form-data` (RFC 7578): fields, and files as multer's memory storage gives them.

use bytes::Bytes;

use flotilla_value::{Object, Value};

/// The fields and the files of a body.
///
/// # Errors
/// When the body does not have the form.
pub(super) fn parse(body: &Bytes, boundary: &str) -> Result<(Object, Vec<Value>), String> {
    let (open, next) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    let mut at = find(body, open.as_bytes()).ok_or("Multipart: Boundary not found")? + open.len();
    let (mut fields, mut files) = (Object::new(), Vec::new());
    loop {
        if body[at..].starts_with(b"--") {
            return Ok((fields, files));
        }
        at += find(&body[at..], b"\r\n").ok_or("Unexpected end of form")? + 2;
        let (head, content_at) = if body[at..].starts_with(b"\r\n") {
            (&body[at..at], at + 2)
        } else {
            let end = find(&body[at..], b"\r\n\r\n").ok_or("Unexpected end of form")?;
            (&body[at..at + end], at + end + 4)
        };
        let end = content_at + find(&body[content_at..], next.as_bytes()).ok_or("Unexpected end of form")?;
        let part = Part::read(&String::from_utf8_lossy(head));
        let content = body.slice(content_at..end);
        at = end + next.len();
        if let Some(file) = part.file {
            let size = content.len() as f64;
            let entry: Object = [
                ("fieldname", Value::from(part.name)),
                ("originalname", Value::from(file)),
                ("encoding", Value::from(part.encoding)),
                ("mimetype", Value::from(part.kind)),
                ("buffer", Value::Buffer(content)),
                ("size", Value::from(size)),
            ]
            .into_iter()
            .collect();
            files.push(Value::from(entry));
        } else {
            let text = Value::string(String::from_utf8_lossy(&content));
            let name = part.name.strip_suffix("[]").unwrap_or(&part.name);
            let value = match fields.remove(name) {
                None if name.len() == part.name.len() => text,
                None => Value::array(vec![text]),
                Some(Value::Array(mut items)) => {
                    std::sync::Arc::make_mut(&mut items).push(text);
                    Value::Array(items)
                }
                Some(earlier) => Value::array(vec![earlier, text]),
            };
            fields.insert(name, value);
        }
    }
}

struct Part {
    name: String,
    file: Option<String>,
    kind: String,
    encoding: String,
}

impl Part {
    fn read(head: &str) -> Part {
        let mut part =
            Part { name: String::new(), file: None, kind: "text/plain".to_owned(), encoding: "7bit".to_owned() };
        for line in head.split("\r\n") {
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.trim().to_ascii_lowercase().as_str() {
                "content-type" => value.trim().clone_into(&mut part.kind),
                "content-transfer-encoding" => part.encoding = value.trim().to_ascii_lowercase(),
                "content-disposition" => {
                    part.name = attribute(value, "name").unwrap_or_default();
                    part.file = attribute(value, "filename");
                }
                _ => {}
            }
        }
        part
    }
}

/// `; name="value"`.
fn attribute(header: &str, name: &str) -> Option<String> {
    let mut rest = header;
    while let Some(at) = rest.find(';') {
        rest = rest[at + 1..].trim_start();
        let (key, value) = rest.split_once('=')?;
        if !key.trim().eq_ignore_ascii_case(name) {
            // Skip a quoted value whole: it may hold a semicolon.
            if let Some(quoted) = value.strip_prefix('"') {
                rest = &quoted[quoted.find('"')? + 1..];
            }
            continue;
        }
        return Some(match value.strip_prefix('"') {
            Some(quoted) => quoted[..quoted.find('"')?].replace("%22", "\""),
            None => value.split(';').next().unwrap_or_default().trim().to_owned(),
        });
    }
    None
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|byte| *byte == first) {
        let at = from + at;
        if haystack[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_files() {
        let body = Bytes::from_static(
            b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; \
              filename=\"x;y.txt\"; name=\"f\"\r\nContent-Type: text/csv\r\n\r\n\r\nline\r\n\r\n--B--\r\n",
        );
        let (fields, files) = parse(&body, "B").unwrap();
        assert_eq!(fields.get("a"), Some(&Value::from("1")));
        assert_eq!(files[0].get("originalname"), Value::from("x;y.txt"));
        assert_eq!(files[0].get("fieldname"), Value::from("f"));
        assert_eq!(files[0].get("mimetype"), Value::from("text/csv"));
        assert_eq!(files[0].get("buffer"), Value::Buffer(Bytes::from_static(b"\r\nline\r\n")));
        assert!(parse(&body.slice(..body.len() - 8), "B").is_err());
    }
}
