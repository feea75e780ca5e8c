//! One request's head: what it announces, or why it is refused.

use std::mem::MaybeUninit;

use http::StatusCode;
use httparse::{Request, Status};

use super::host::is_host;
use super::refusal::{MARK, Refusal};

/// The largest head, in bytes.
pub(crate) const LARGEST: usize = 64 * 1024;
/// The longest target, in bytes; RFC 9112, section 3, asks for 8,000 at least.
const LONGEST_TARGET: usize = 16 * 1024;
/// The most header lines.
const LINES: usize = 128;

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// A body of so many bytes; 0 without one.
    Body(u64),
    /// A body in chunks.
    Chunks,
    /// What the answer to a request to upgrade decides.
    Upgrade,
}

/// A head that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) follows: Follows,
    /// How many header lines it has.
    pub(crate) lines: usize,
}

#[derive(Default)]
struct Fields<'a> {
    host: Option<&'a [u8]>,
    length: Option<u64>,
    coding: Option<&'a [u8]>,
    connection_upgrade: bool,
    websocket: bool,
    version: Option<&'a [u8]>,
    key: Option<&'a [u8]>,
}

/// Checks a whole head, its empty line included, in which every line ends with CRLF.
pub(crate) fn check(head: &[u8]) -> Result<Head, Refusal> {
    // Empty lines would be 4 KiB to write, for each request.
    let mut lines = [const { MaybeUninit::uninit() }; LINES];
    let mut request = Request::new(&mut []);
    match request.parse_with_uninit_headers(head, &mut lines) {
        Ok(Status::Complete(_)) => {}
        Ok(Status::Partial) => return Err(Refusal::bad("the request's head is cut off")),
        Err(error) => return Err(unreadable(error, head)),
    }
    let method = request.method.unwrap_or_default();
    let target = request.path.unwrap_or_default();
    let old = request.version == Some(0);
    let seen = fields(request.headers, old)?;
    check_target(method, target, seen.host)?;
    if !old && seen.host.is_none() {
        return Err(Refusal::bad("a request has a Host header"));
    }
    let follows = follows(method, &seen, old)?;
    Ok(Head { follows, lines: request.headers.len() })
}

fn follows(method: &str, seen: &Fields<'_>, old: bool) -> Result<Follows, Refusal> {
    let upgrades = seen.connection_upgrade && seen.websocket && !old;
    if upgrades {
        check_handshake(method, seen)?;
        return Ok(Follows::Upgrade);
    }
    match (seen.coding, seen.length) {
        (Some(_), Some(_)) => Err(Refusal::bad("Transfer-Encoding and Content-Length exclude each other")),
        (Some(_), None) if old => Err(Refusal::bad("HTTP/1.0 has no Transfer-Encoding")),
        (Some(coding), None) => check_coding(coding).map(|()| Follows::Chunks),
        (None, length) => Ok(Follows::Body(length.unwrap_or(0))),
    }
}

fn unreadable(error: httparse::Error, head: &[u8]) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => {
            Refusal::with(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "more than 128 header lines")
        }
        httparse::Error::Version => {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
            let known = matches!(version, b"HTTP/1.1" | b"HTTP/1.0");
            let other = version.len() == 8 && version.starts_with(b"HTTP/") && version[6] == b'.';
            if other && !known && version[5].is_ascii_digit() && version[7].is_ascii_digit() {
                Refusal::with(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "use HTTP/1.1")
            } else {
                Refusal::bad("the request line does not end with HTTP/1.1")
            }
        }
        httparse::Error::Token => Refusal::bad("the request line or its method is malformed"),
        httparse::Error::HeaderName => Refusal::bad("a header's name is malformed"),
        httparse::Error::HeaderValue => Refusal::bad("a header's value has a character that may not be there"),
        _ => Refusal::bad("the request line is malformed"),
    }
}

fn fields<'a>(headers: &[httparse::Header<'a>], old: bool) -> Result<Fields<'a>, Refusal> {
    let mut seen = Fields::default();
    for header in headers {
        let value = header.value.trim_ascii();
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        // By length first: most headers are none of these.
        match header.name.len() {
            4 if is("host") => {
                if seen.host.replace(value).is_some() {
                    return Err(Refusal::bad("a request has one Host header"));
                }
                if !is_host(value) {
                    return Err(Refusal::bad("the Host header is malformed"));
                }
            }
            6 if is("expect") && !value.eq_ignore_ascii_case(b"100-continue") => {
                return Err(Refusal::with(StatusCode::EXPECTATION_FAILED, "only 100-continue can be expected"));
            }
            7 if is("upgrade") => seen.websocket |= has_token(value, b"websocket"),
            10 if is("connection") => seen.connection_upgrade |= has_token(value, b"upgrade"),
            14 if is("content-length") => {
                if seen.length.is_some() {
                    return Err(Refusal::bad("a request has one Content-Length header"));
                }
                seen.length = Some(number(value).ok_or(Refusal::bad("the Content-Length header is not a number"))?);
            }
            #[allow(clippy::collapsible_match, reason = "the replacement must happen for every such header")]
            17 if is("transfer-encoding") => {
                if seen.coding.replace(value).is_some() {
                    return Err(Refusal::bad("a request has one Transfer-Encoding header"));
                }
            }
            16 if is(MARK) => return Err(Refusal::bad("flotilla-refused is no header of a request")),
            17 if is("sec-websocket-key") => seen.key = Some(value),
            21 if is("sec-websocket-version") => seen.version = Some(value),
            _ => {}
        }
    }
    if old && seen.host.is_some_and(<[u8]>::is_empty) {
        seen.host = None;
    }
    Ok(seen)
}

fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // hyper reserves the two largest numbers.
    std::str::from_utf8(value).ok()?.parse().ok().filter(|length| *length < u64::MAX - 1)
}

fn has_token(value: &[u8], token: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(token))
}

/// The forms of RFC 9112, section 3.2.
fn check_target(method: &str, target: &str, host: Option<&[u8]>) -> Result<(), Refusal> {
    if target.len() > LONGEST_TARGET {
        return Err(Refusal::with(StatusCode::URI_TOO_LONG, "the target is longer than 16 KiB"));
    }
    if method == "CONNECT" {
        return Err(Refusal::with(StatusCode::NOT_IMPLEMENTED, "this is no proxy for CONNECT"));
    }
    // Browsers send some that RFC 3986 does not allow, unencoded: only those are refused that would be read differently.
    if !target.is_ascii() || target.contains('#') {
        return Err(Refusal::bad("the target has a character that may not be there"));
    }
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok(());
    }
    let Some((scheme, rest)) = target.split_once("://") else {
        return Err(Refusal::bad("the target does not begin with /"));
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(Refusal::bad("the target is not of http"));
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if !is_host(authority.as_bytes()) {
        return Err(Refusal::bad("the target's host is malformed"));
    }
    match host {
        Some(host) if !host.eq_ignore_ascii_case(authority.as_bytes()) => {
            Err(Refusal::bad("the target's host is not that of the Host header"))
        }
        _ => Ok(()),
    }
}

fn check_coding(coding: &[u8]) -> Result<(), Refusal> {
    if coding.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let mut codings = coding.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|one| !one.is_empty());
    let chunked = codings.clone().filter(|one| one.eq_ignore_ascii_case(b"chunked")).count();
    let last = codings.next_back().is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
    if chunked == 1 && last && codings.next().is_some() {
        // RFC 9112, section 6.1.
        return Err(Refusal::with(StatusCode::NOT_IMPLEMENTED, "the only transfer coding here is chunked"));
    }
    Err(Refusal::bad("Transfer-Encoding is chunked, once, or not there"))
}

/// RFC 6455, section 4.2.1.
fn check_handshake(method: &str, seen: &Fields<'_>) -> Result<(), Refusal> {
    if method != "GET" {
        return Err(Refusal::bad("a WebSocket handshake is a GET"));
    }
    if seen.coding.is_some() || seen.length.is_some_and(|length| length > 0) {
        return Err(Refusal::bad("a WebSocket handshake has no body"));
    }
    match seen.version {
        Some(b"13") => {}
        Some(_) => return Err(Refusal::with(StatusCode::UPGRADE_REQUIRED, "the version of WebSocket here is 13")),
        None => return Err(Refusal::bad("a WebSocket handshake has Sec-WebSocket-Version")),
    }
    // 16 bytes in base64.
    if !seen.key.is_some_and(|key| key.len() == 24 && key.ends_with(b"==")) {
        return Err(Refusal::bad("a WebSocket handshake has a Sec-WebSocket-Key of 16 bytes"));
    }
    Ok(())
}
