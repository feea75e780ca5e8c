//! Heads with more header lines than hyper takes.
//!
//! hyper keeps the lines of a head on its stack while there are 100 at most. With a larger bound it allocates and fills 12 KiB for
//! each head, however short that is. So the bound stays, and of a longer head hyper reads a part: the other lines go round it, and
//! are put behind those that it read.

use http::{HeaderMap, HeaderName, HeaderValue};
use httparse::Status;

/// The most header lines that hyper reads.
pub(crate) const MOST: usize = 100;
/// The most header lines of a head that is shortened.
const LINES: usize = 192;

/// hyper looks at all of their lines, which are lists (RFC 9110, section 5.3): they become one line.
const LISTS: [&str; 2] = ["connection", "te"];
/// hyper looks at one of their lines. Those that say where the body ends are there once, or hyper does not get the head.
const FIRST: [&str; 4] = ["content-length", "transfer-encoding", "expect", "upgrade"];

/// So many of [`FIRST`].
const ONCE: usize = 2;

/// Header lines that hyper did not read, in their order.
pub(crate) type Rest = Vec<(HeaderName, HeaderValue)>;

/// A head that hyper reads: as many of its lines as hyper takes, among them all that say how the message is to be read. With the
/// other lines, which come behind them. `None`: it has more than 192 lines, or one that is malformed.
pub(crate) fn shorten(head: &[u8]) -> Option<(Vec<u8>, Rest)> {
    let begin = memchr::memchr(b'\n', head)? + 1;
    let mut lines = [httparse::EMPTY_HEADER; LINES];
    let Ok(Status::Complete((_, lines))) = httparse::parse_headers(&head[begin..], &mut lines) else { return None };
    let mut firsts = [None; FIRST.len()];
    for (at, line) in lines.iter().enumerate() {
        if let Some(which) = FIRST.iter().position(|name| line.name.eq_ignore_ascii_case(name)) {
            if which < ONCE && firsts[which].is_some() {
                return None;
            }
            firsts[which].get_or_insert(at);
        }
    }
    // hyper leaves out a line with other letters, which must not take the others with it.
    let plain = |line: &httparse::Header<'_>| line.value.iter().all(|byte| *byte == b'\t' || (32..127).contains(byte));
    let is_list = |line: &httparse::Header<'_>, name: &str| line.name.eq_ignore_ascii_case(name) && plain(line);
    let (mut short, mut rest) = (head[..begin].to_vec(), Rest::new());
    let mut room = MOST - LISTS.len() - FIRST.len();
    for (at, line) in lines.iter().enumerate() {
        if LISTS.iter().any(|name| is_list(line, name)) {
            continue;
        }
        if firsts.contains(&Some(at)) {
            write(&mut short, line.name, line.value);
        } else if room > 0 {
            room -= 1;
            write(&mut short, line.name, line.value);
        } else {
            let name = HeaderName::from_bytes(line.name.as_bytes()).ok()?;
            rest.push((name, HeaderValue::from_bytes(line.value).ok()?));
        }
    }
    for name in LISTS {
        let values: Vec<&[u8]> = lines.iter().filter(|line| is_list(line, name)).map(|line| line.value).collect();
        if !values.is_empty() {
            write(&mut short, name, &values.join(&b", "[..]));
        }
    }
    short.extend_from_slice(b"\r\n");
    Some((short, rest))
}

/// Puts the lines that hyper did not read behind those that it read.
pub(crate) fn restore(headers: &mut HeaderMap, rest: Rest) {
    for (name, value) in rest {
        headers.append(name, value);
    }
}

fn write(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers of a head as hyper would read them, were it to read them all.
    fn read(head: &[u8]) -> HeaderMap {
        let begin = memchr::memchr(b'\n', head).unwrap() + 1;
        let mut lines = [httparse::EMPTY_HEADER; LINES];
        let Ok(Status::Complete((length, lines))) = httparse::parse_headers(&head[begin..], &mut lines) else {
            panic!("a head is cut off");
        };
        assert_eq!(length, head.len() - begin, "nothing stands behind a head");
        let mut headers = HeaderMap::new();
        for line in lines {
            let name = HeaderName::from_bytes(line.name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(line.value).unwrap());
        }
        headers
    }

    /// Names with all their values in order; those of lists as one line each.
    fn meaning(headers: &HeaderMap) -> Vec<(String, Vec<Vec<u8>>)> {
        let mut all: Vec<_> = headers
            .keys()
            .map(|name| {
                let values: Vec<_> = headers.get_all(name).iter().map(|value| value.as_bytes().to_vec()).collect();
                let list = LISTS.contains(&name.as_str());
                (name.to_string(), if list { vec![values.join(&b", "[..])] } else { values })
            })
            .collect();
        all.sort();
        all
    }

    fn lines_of(head: &[u8]) -> usize {
        head.split(|byte| *byte == b'\n').count() - 3
    }

    #[test]
    fn a_shortened_head_and_its_rest_mean_what_the_head_meant() {
        let names = [
            "X-A",
            "x-a",
            "X-B",
            "Cookie",
            "Set-Cookie",
            "Connection",
            "TE",
            "Expect",
            "Upgrade",
            "Host",
            "Accept",
            "x-c",
        ];
        let mut state = 1_u64;
        let mut random = move |below: usize| {
            // Knuth's MMIX.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for round in 0..300 {
            let lines = 101 + random(LINES - 100);
            let length_at = random(lines);
            let mut head = b"POST /a HTTP/1.1\r\n".to_vec();
            for at in 0..lines {
                let line = if at == length_at {
                    "Content-Length: 5".to_owned()
                } else {
                    format!("{}: {at}; v=\u{e4}\t{}", names[random(names.len())], random(9))
                };
                head.extend_from_slice(line.as_bytes());
                head.extend_from_slice(b"\r\n");
            }
            head.extend_from_slice(b"\r\n");
            let (short, rest) = shorten(&head).unwrap();
            assert!(lines_of(&head) == lines && lines_of(&short) <= MOST, "round {round}");
            assert!(short.starts_with(b"POST /a HTTP/1.1\r\n"), "round {round}");
            let mut restored = read(&short);
            for name in ["content-length", "connection", "te", "expect", "upgrade"] {
                let original = read(&head);
                assert_eq!(restored.get(name).is_some(), original.get(name).is_some(), "round {round}: {name}");
            }
            restore(&mut restored, rest);
            assert_eq!(meaning(&restored), meaning(&read(&head)), "round {round}");
        }
    }

    #[test]
    fn lines_that_hyper_looks_at_stay_however_many_there_are() {
        let many = "Connection: x\r\n".repeat(60) + &"TE: trailers\r\n".repeat(60) + &"Upgrade: a\r\n".repeat(20);
        let (short, rest) = shorten(format!("GET / HTTP/1.1\r\n{many}Connection: close\r\n\r\n").as_bytes()).unwrap();
        assert!(rest.is_empty() && lines_of(&short) == 22, "{}", String::from_utf8_lossy(&short));
        let headers = read(&short);
        assert!(headers["connection"].to_str().unwrap().ends_with("x, close"), "{headers:?}");
    }

    #[test]
    fn a_line_of_a_list_that_hyper_leaves_out_takes_no_other_with_it() {
        let many: String = (0..101).map(|n| format!("X-{n}: {n}\r\n")).collect();
        let head =
            [b"GET / HTTP/1.1\r\nConnection: close, X-1\r\nConnection: \xe4\r\n", many.as_bytes(), b"\r\n"].concat();
        let (short, rest) = shorten(&head).unwrap();
        let mut headers = read(&short);
        restore(&mut headers, rest);
        let values: Vec<_> = headers.get_all("connection").iter().map(HeaderValue::as_bytes).collect();
        assert!(
            values.contains(&&b"close, X-1"[..]) && values.contains(&&b"\xe4"[..]) && values.len() == 2,
            "{values:?}"
        );
    }

    #[test]
    fn two_lines_that_say_where_the_body_ends_are_not_made_one() {
        let many: String = (0..101).map(|n| format!("X-{n}: {n}\r\n")).collect();
        for twice in ["Content-Length: 1\r\nContent-Length: 2", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"]
        {
            assert!(shorten(format!("HTTP/1.1 200 OK\r\n{twice}\r\n{many}\r\n").as_bytes()).is_none(), "{twice}");
        }
    }

    #[test]
    fn a_head_that_is_too_long_or_malformed_is_none() {
        let with = |lines: usize| shorten(format!("GET / HTTP/1.1\r\n{}\r\n", "x: 1\r\n".repeat(lines)).as_bytes());
        assert!(with(LINES).is_some() && with(LINES + 1).is_none());
        assert!(shorten(b"GET / HTTP/1.1\r\nx 1\r\n\r\n").is_none());
    }
}
