//! Reading a request's body, bounded.

use std::io::Read;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::Instant;

use flotilla_engine::settings::Settings;
use flotilla_value::{Value, parse_json};

use super::body_kind::BodyKind;
use super::gate::Gate;
use super::multipart;
use super::query::parse_query;

/// Node-RED's default of `apiMaxLength`.
const DEFAULT_LIMIT: usize = 5 << 20;

/// How long a body may be waited for, beside what its bytes take at [`RATE`].
const GRACE: Duration = Duration::from_secs(20);
/// The slowest that a body may come, in bytes a second.
const RATE: u64 = 4096;

/// Why a body was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// 413.
    #[error("request entity too large: the limit is {0} bytes (setting apiMaxLength)")]
    TooLarge(usize),
    /// 500, with the node's warning, as in Node-RED.
    #[error("{0}")]
    Malformed(String),
    /// The client went away, or sent what is no body.
    #[error("the request was aborted: {0}")]
    Aborted(#[from] hyper::Error),
    /// It came too slowly.
    #[error("the request's body came too slowly")]
    Slow,
    /// The bodies that come in now are too large together.
    #[error("too many large requests are being read")]
    Full,
}

/// What a body says.
pub(super) struct Parsed {
    pub(super) body: Value,
    pub(super) files: Value,
}

/// The limit in bytes: `apiMaxLength` as a number or as text, for example `5mb`.
pub(super) fn limit(settings: &Settings) -> usize {
    let Some(setting) = settings.node_red.get("apiMaxLength") else { return DEFAULT_LIMIT };
    let text = setting.as_str().map_or_else(|| setting.to_string(), str::to_lowercase);
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let unit = match text[digits..].trim() {
        "" | "b" => 1.0,
        "kb" => 1024.0,
        "mb" => f64::from(1 << 20),
        "gb" => f64::from(1 << 30),
        _ => return DEFAULT_LIMIT,
    };
    text[..digits].parse::<f64>().map_or(DEFAULT_LIMIT, |number| (number * unit) as usize)
}

/// The whole body, inflated when it came compressed.
pub(super) async fn read(
    mut body: Incoming,
    headers: &HeaderMap,
    limit: usize,
    gate: &Gate,
) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge(limit));
    }
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    let (began, mut room) = (Instant::now(), gate.room());
    loop {
        let received = (first.len() + rest.len()) as u64;
        let deadline = began + GRACE + Duration::from_millis(received * 1000 / RATE);
        let frame = tokio::time::timeout_at(deadline, body.frame()).await.map_err(|_| BodyError::Slow)?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        if !room.take(data.len()) {
            return Err(BodyError::Full);
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    let whole = if rest.is_empty() { first } else { rest.freeze() };
    match headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()) {
        None | Some("identity") => Ok(whole),
        Some("gzip" | "x-gzip") => inflate(flate2::read::GzDecoder::new(&whole[..]), limit),
        Some("deflate") => inflate(flate2::read::ZlibDecoder::new(&whole[..]), limit),
        Some(other) => Err(BodyError::Malformed(format!("unsupported content encoding \"{other}\""))),
    }
}

fn inflate(reader: impl Read, limit: usize) -> Result<Bytes, BodyError> {
    let mut out = Vec::new();
    let read = reader.take(limit as u64 + 1).read_to_end(&mut out);
    read.map_err(|error| BodyError::Malformed(format!("the compressed body is damaged: {error}")))?;
    if out.len() > limit { Err(BodyError::TooLarge(limit)) } else { Ok(Bytes::from(out)) }
}

/// What the bytes say, by their content type; `raw` hands them on as they are.
pub(super) fn parse(bytes: Bytes, content_type: &str, upload: bool, raw: bool) -> Result<Parsed, BodyError> {
    let only = |body: Value| Ok(Parsed { body, files: Value::Undefined });
    if raw {
        return only(Value::Buffer(bytes));
    }
    match BodyKind::of(content_type, upload) {
        BodyKind::Json if bytes.is_empty() => only(Value::object()),
        BodyKind::Json => {
            let start = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
            if !matches!(start, Some(b'{' | b'[')) {
                return Err(BodyError::Malformed(
                    "Unexpected token in JSON: an object or an array must come".to_owned(),
                ));
            }
            only(parse_json(&bytes).map_err(|error| BodyError::Malformed(error.to_string()))?)
        }
        BodyKind::UrlEncoded => only(Value::from(parse_query(&String::from_utf8_lossy(&bytes)))),
        BodyKind::Multipart(boundary) => {
            let (body, files) = multipart::parse(bytes, &boundary).map_err(BodyError::Malformed)?;
            Ok(Parsed { body: Value::from(body), files: Value::array(files) })
        }
        BodyKind::Text => only(Value::string(String::from_utf8_lossy(&bytes))),
        BodyKind::Octets => only(Value::Buffer(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_body_parser_reads_them() {
        let with = |value: serde_json::Value| {
            let mut settings = Settings::default();
            settings.node_red.insert("apiMaxLength".to_owned(), value);
            limit(&settings)
        };
        assert_eq!(with("1kb".into()), 1024);
        assert_eq!(with("1.5 mb".into()), 3 << 19);
        assert_eq!(with(10.into()), 10);
        assert_eq!(limit(&Settings::default()), 5 << 20);
    }

    #[test]
    fn a_bomb_is_refused() {
        let zeros = std::io::repeat(0).take(1 << 20);
        let mut packed = Vec::new();
        flate2::read::GzEncoder::new(zeros, flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
        let inflated = inflate(flate2::read::GzDecoder::new(&packed[..]), 1 << 10);
        assert!(matches!(inflated, Err(BodyError::TooLarge(1024))));
    }

    #[test]
    fn json_must_be_an_object_or_an_array() {
        assert!(parse(Bytes::from_static(b"1"), "application/json", false, false).is_err());
        let parsed = parse(Bytes::from_static(b" [1]"), "application/json", false, false).unwrap();
        assert_eq!(parsed.body, Value::array(vec![Value::from(1.0)]));
    }
}
