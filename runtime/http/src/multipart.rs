//! `multipart/form-data` (RFC 7578): fields, and files as the memory storage of Node-RED's multer gives them.
//!
//! The crate multer cuts a body into parts. The parameters of `Content-Disposition` are read here: multer finds `name=` inside
//! of a quoted file name as well, and makes a field of a file whose name is not UTF-8.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, stream};
use http::HeaderMap;
use http::header::CONTENT_DISPOSITION;
use multer::{Error, Field, Multipart};

use flotilla_value::{Object, Value};

struct Part {
    name: String,
    file: Option<String>,
    kind: String,
    encoding: String,
}

/// What parts are there is decided as busboy does it, in whose words it fails.
const CUT: &str = "Unexpected end of form";

/// The fields and the files of a body.
///
/// # Errors
/// When the body does not have the form.
pub(super) fn parse(body: Bytes, boundary: &str) -> Result<(Object, Vec<Value>), String> {
    // The body is whole, so nothing waits.
    match read(body, boundary).now_or_never() {
        Some(Ok(parts)) => Ok(parts),
        Some(Err(Error::ReadHeaderFailed(_) | Error::DecodeHeaderName { .. } | Error::DecodeHeaderValue { .. })) => {
            Err("Malformed part header".to_owned())
        }
        Some(Err(_)) | None => Err(CUT.to_owned()),
    }
}

async fn read(body: Bytes, boundary: &str) -> Result<(Object, Vec<Value>), Error> {
    let mut parts = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let (mut fields, mut files) = (Object::new(), Vec::new());
    while let Some(mut field) = parts.next_field().await? {
        let part = Part::read(&field);
        let content = content(&mut field).await?;
        match part {
            Some(part) if part.file.as_deref().is_some_and(|file| !file.is_empty()) => {
                files.push(part.into_file(content));
            }
            // An empty choice of a file in a browser's form.
            Some(part) if part.file.is_some() || part.kind == "application/octet-stream" => {}
            Some(part) => add(&mut fields, &part.name, Value::string(String::from_utf8_lossy(&content))),
            None => {}
        }
    }
    Ok((fields, files))
}

/// All of a part. It comes in one piece, which is a slice of the body.
async fn content(field: &mut Field<'_>) -> Result<Bytes, Error> {
    let first = field.chunk().await?.unwrap_or_default();
    let Some(second) = field.chunk().await? else { return Ok(first) };
    let mut whole = BytesMut::from(first);
    whole.extend_from_slice(&second);
    while let Some(more) = field.chunk().await? {
        whole.extend_from_slice(&more);
    }
    Ok(whole.freeze())
}

/// A name that comes twice, or ends in `[]`, is a list.
fn add(fields: &mut Object, given: &str, text: Value) {
    let name = given.strip_suffix("[]").unwrap_or(given);
    let value = match fields.remove(name) {
        None if name.len() == given.len() => text,
        None => Value::array(vec![text]),
        Some(Value::Array(mut items)) => {
            Arc::make_mut(&mut items).push(text);
            Value::Array(items)
        }
        Some(earlier) => Value::array(vec![earlier, text]),
    };
    fields.insert(name, value);
}

impl Part {
    /// `None`: a part without `form-data`, which busboy leaves out.
    fn read(field: &Field<'_>) -> Option<Part> {
        let disposition = text(field.headers(), CONTENT_DISPOSITION.as_str())?;
        if !disposition.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("form-data") {
            return None;
        }
        let kind = field.content_type().map_or("text/plain", |kind| kind.essence_str());
        Some(Part {
            name: attribute(&disposition, "name").unwrap_or_default(),
            file: attribute(&disposition, "filename").filter(|name| !name.is_empty()).map(|name| last(&name)),
            kind: kind.to_ascii_lowercase(),
            encoding: text(field.headers(), "content-transfer-encoding")
                .map_or_else(|| "7bit".to_owned(), |encoding| encoding.trim().to_ascii_lowercase()),
        })
    }

    fn into_file(self, content: Bytes) -> Value {
        let size = content.len() as f64;
        let entries = [
            ("fieldname", Value::from(self.name)),
            ("originalname", Value::from(self.file.unwrap_or_default())),
            ("encoding", Value::from(self.encoding)),
            ("mimetype", Value::from(self.kind)),
            ("buffer", Value::Buffer(content)),
            ("size", Value::from(size)),
        ];
        Value::from(entries.into_iter().collect::<Object>())
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A file's name without the folders before it.
fn last(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    if matches!(name, "." | "..") { String::new() } else { name.to_owned() }
}

/// What browsers escape in names (HTML, multipart/form-data encoding algorithm), and only that.
fn unescaped(text: &str) -> String {
    text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
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
            Some(quoted) => unescaped(&quoted[..quoted.find('"')?]),
            None => value.split(';').next().unwrap_or_default().trim().to_owned(),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(parts: &[&[u8]]) -> Bytes {
        let mut body = Vec::new();
        for part in parts {
            body.extend_from_slice(b"--B\r\nContent-Disposition: form-data; ");
            body.extend_from_slice(part);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--B--\r\n");
        body.into()
    }

    #[test]
    fn fields_and_files() {
        let body = body(&[
            b"name=\"a\"\r\n\r\n1",
            b"filename=\"x;y.txt\"; name=\"f\"\r\nContent-Type: text/csv; header=present\r\n\r\n\r\nline\r\n",
        ]);
        let (fields, files) = parse(body.clone(), "B").unwrap();
        assert_eq!(fields.get("a"), Some(&Value::from("1")));
        assert_eq!(files[0].get("originalname"), Value::from("x;y.txt"));
        assert_eq!(files[0].get("fieldname"), Value::from("f"));
        assert_eq!(files[0].get("mimetype"), Value::from("text/csv"));
        assert_eq!(files[0].get("buffer"), Value::Buffer(Bytes::from_static(b"\r\nline\r\n")));
        for cut in [0, 1, 20, body.len() - 8] {
            assert_eq!(parse(body.slice(..cut), "B").err().as_deref(), Some(CUT), "{cut} bytes");
        }
        let error = parse(Bytes::from_static(b"--B\r\nno header\r\n\r\n--B--"), "B").err();
        assert_eq!(error.as_deref(), Some("Malformed part header"));
    }

    /// As busboy, which multer of Node-RED stands on, has them.
    #[test]
    fn names_of_files() {
        let cases: [(&[u8], &str, &str); 6] = [
            (b"name=\"%22f%22\"; filename=\"50%.txt\"\r\n\r\n", "\"f\"", "50%.txt"),
            (b"name=\"f\"; filename=\"C:\\fakepath\\a.txt\"\r\n\r\n", "f", "a.txt"),
            (b"name=\"f\"; filename=\"../../etc/passwd\"\r\n\r\n", "f", "passwd"),
            (b"filename=\"a; name=evil\"; name=\"f\"\r\n\r\n", "f", "a; name=evil"),
            (b"name=f; filename=plain.txt\r\n\r\n", "f", "plain.txt"),
            (b"name=\"f\"; filename=\"\xe4.txt\"\r\n\r\n", "f", "\u{fffd}.txt"),
        ];
        for (part, field, file) in cases {
            let (fields, files) = parse(body(&[part]), "B").unwrap();
            assert!(fields.is_empty() && files.len() == 1, "{file}");
            assert_eq!(files[0].get("fieldname"), Value::from(field));
            assert_eq!(files[0].get("originalname"), Value::from(file));
        }
        let none = b"name=\"f\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n";
        let (fields, files) = parse(body(&[none]), "B").unwrap();
        assert!(fields.is_empty() && files.is_empty(), "nothing was chosen");
    }

    #[test]
    fn names_that_come_twice_are_lists() {
        let parts: [&[u8]; 4] = [
            b"name=\"a\"\r\n\r\n1",
            b"name=\"a\"\r\n\r\n2",
            b"name=\"b[]\"\r\n\r\n3",
            b"name=\"c\"\r\n\r\n--B is no boundary in a line",
        ];
        let (fields, _) = parse(body(&parts), "B").unwrap();
        assert_eq!(fields.get("a"), Some(&Value::array(vec!["1".into(), "2".into()])));
        assert_eq!(fields.get("b"), Some(&Value::array(vec!["3".into()])));
        assert_eq!(fields.get("c"), Some(&Value::from("--B is no boundary in a line")));
    }
}
