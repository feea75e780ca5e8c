//! Requests as bytes, and the status that each gets: RFC 9110, RFC 9112, RFC 6455.

/// What a case sends, and the status of the answer.
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    pub status: u16,
}

const HOST: &str = "Host: a.example\r\n";

fn case(name: impl Into<String>, bytes: impl Into<Vec<u8>>, status: u16) -> Case {
    Case { name: name.into(), bytes: bytes.into(), status }
}

/// A GET of `/echo` with more header lines.
fn get(lines: &str) -> String {
    format!("GET /echo HTTP/1.1\r\n{HOST}{lines}\r\n")
}

/// A POST to `/echo` with more header lines and a body.
fn post(lines: &str, body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\n{HOST}Content-Type: text/plain\r\n{lines}\r\n{body}")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

fn lines() -> Vec<Case> {
    let mut cases = vec![
        case("plain", get(""), 200),
        case("one empty line before", format!("\r\n{}", get("")), 200),
        case("two empty lines before", format!("\r\n\r\n{}", get("")), 200),
        case("many empty lines before", format!("{}{}", "\r\n".repeat(9), get("")), 400),
        case("an LF before", format!("\n{}", get("")), 400),
        case("HTTP/1.0", "GET /echo HTTP/1.0\r\n\r\n", 200),
        case("HTTP/1.0 with Host", format!("GET /echo HTTP/1.0\r\n{HOST}\r\n"), 200),
        case("HTTP/0.9", "GET /echo\r\n\r\n", 400),
        case("a query", format!("GET /echo?a=b%20c&d HTTP/1.1\r\n{HOST}\r\n"), 200),
        case("an encoded path, which Express matches as it is", format!("GET /%65cho HTTP/1.1\r\n{HOST}\r\n"), 404),
        case("absolute target", "GET http://a.example/echo HTTP/1.1\r\nHost: a.example\r\n\r\n", 200),
        case("absolute target in capitals", "GET HTTP://A.example/echo HTTP/1.1\r\nHost: a.example\r\n\r\n", 200),
        case("absolute target of another host", "GET http://b.example/echo HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
        case(
            "absolute target of another port",
            "GET http://a.example:81/echo HTTP/1.1\r\nHost: a.example\r\n\r\n",
            400,
        ),
        case("absolute target, no host", "GET http:///echo HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
        case("absolute target with a user", "GET http://u@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
        case("absolute target of ftp", "GET ftp://a.example/echo HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
        case("authority target", "GET a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n", 400),
        case("CONNECT", "CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n", 501),
        case("asterisk of GET", format!("GET * HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("relative target", format!("GET echo HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("fragment", format!("GET /echo#a HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("no target", format!("GET  HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("two blanks before the target", format!("GET  /echo HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("two blanks before the version", format!("GET /echo  HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("a blank in the target", format!("GET /ec ho HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("a tab for a blank", format!("GET\t/echo HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("a blank before the method", format!(" GET /echo HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("a blank at the line's end", format!("GET /echo HTTP/1.1 \r\n{HOST}\r\n"), 400),
        case("NUL in the target", format!("GET /e\0cho HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("DEL in the target", format!("GET /e\x7fcho HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("bytes beyond ASCII in the target", [b"GET /\xff HTTP/1.1\r\n", HOST.as_bytes(), b"\r\n"].concat(), 400),
        case("a method with a colon", format!("GE:T /echo HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("a method with a bracket", format!("GE(T /echo HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("no method", format!(" /echo HTTP/1.1\r\n{HOST}\r\n"), 400),
        case("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), 400),
        case("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        case("a target of 17,000", format!("GET /{} HTTP/1.1\r\n{HOST}\r\n", "a".repeat(17_000)), 414),
        case("a head of 70,000", get(&format!("X: {}\r\n", "a".repeat(70_000))), 431),
        case("98 headers", get(&(0..97).map(|n| format!("X-{n}: {n}\r\n")).collect::<String>()), 200),
        case("120 headers", get(&(0..119).map(|n| format!("X-{n}: {n}\r\n")).collect::<String>()), 200),
        case("200 headers", get(&(0..199).map(|n| format!("X-{n}: {n}\r\n")).collect::<String>()), 431),
    ];
    for version in ["HTTP/2.0", "HTTP/3.0", "HTTP/1.2", "HTTP/0.9"] {
        cases.push(case(version, format!("GET /echo {version}\r\n{HOST}\r\n"), 505));
    }
    for version in ["HTTP/1", "http/1.1", "HTTP/1.1.1", "HTTP/11", "HTP/1.1", "HTTP 1.1", "HTTP/1,1", "HTTP/a.b"] {
        cases.push(case(format!("version {version}"), format!("GET /echo {version}\r\n{HOST}\r\n"), 400));
    }
    cases
}

fn line_ends() -> Vec<Case> {
    let mut cases = vec![
        case("LF alone everywhere", get("").replace("\r\n", "\n"), 400),
        case("LF alone after the request line", "GET /echo HTTP/1.1\nHost: a\r\n\r\n", 400),
        case("LF alone after a header", "GET /echo HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
        case("LF alone at the end", "GET /echo HTTP/1.1\r\nHost: a\r\n\n", 400),
        case("CR alone in a value", get("X: a\rb\r\n"), 400),
        case("CR alone after a header", "GET /echo HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400),
        case("two CRs", "GET /echo HTTP/1.1\r\r\nHost: a\r\n\r\n", 400),
        case("CR LF LF", "GET /echo HTTP/1.1\r\nHost: a\r\n\r\r\n\n", 400),
        case("a folded line", get("X: a\r\n b\r\n"), 400),
        case("a folded line with a tab", get("X: a\r\n\tb\r\n"), 400),
        case("a blank before the first header", format!("GET /echo HTTP/1.1\r\n {HOST}\r\n"), 400),
    ];
    for (name, line) in [
        ("a blank before the colon", "X : a"),
        ("a tab before the colon", "X\t: a"),
        ("no colon", "Xa"),
        ("no name", ": a"),
        ("a blank in the name", "X Y: a"),
        ("a bracket in the name", "X(: a"),
        ("a quote in the name", "\"X\": a"),
        ("a NUL in the name", "X\0: a"),
        ("a slash in the name", "X/Y: a"),
        ("a NUL in the value", "X: a\0b"),
        ("BEL in the value", "X: a\x07b"),
        ("DEL in the value", "X: a\x7fb"),
    ] {
        cases.push(case(name, get(&format!("{line}\r\n")), 400));
    }
    for (name, line) in [
        ("no blank after the colon", "X:a"),
        ("blanks around the value", "X:  \ta \t"),
        ("an empty value", "X:"),
        ("a tab in the value", "X: a\tb"),
        ("punctuation in the name", "X!#$%&'*+-.^_`|~1: a"),
        ("the same name twice", "X: a\r\nX: b"),
    ] {
        cases.push(case(name, get(&format!("{line}\r\n")), 200));
    }
    let beyond = [b"GET /echo HTTP/1.1\r\n", HOST.as_bytes(), b"X: \xe9\xff\r\n\r\n"].concat();
    cases.push(case("bytes beyond ASCII in a value", beyond, 200));
    cases
}

fn hosts() -> Vec<Case> {
    let of = |host: &str| format!("GET /echo HTTP/1.1\r\nHost:{host}\r\n\r\n");
    let mut cases = vec![
        case("no Host", "GET /echo HTTP/1.1\r\n\r\n", 400),
        case("two Hosts", "GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        case("two Hosts alike", "GET /echo HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        case("two Hosts in other letters", "GET /echo HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n", 400),
        case("absolute target, no Host", "GET http://a/echo HTTP/1.1\r\n\r\n", 400),
        case("an absolute target and two Hosts", "GET http://a/echo HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        case("HTTP/1.0 with two Hosts", "GET /echo HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ];
    for host in [" a", "a", " a:80", " a:", " 127.0.0.1:8080", " [::1]", " [::1]:80", " a_b.example", " x%41"] {
        cases.push(case(format!("Host:{host}"), of(host), 200));
    }
    for host in [
        "",
        " ",
        " a b",
        " a,b,",
        " a/b",
        " a:b",
        " a:99999",
        " a:1:2",
        " u@a",
        " [::1",
        " ::1",
        " [1.2.3.4]",
        " [::1]a",
        " a?b",
        " a#b",
        " http://a",
        " %zz",
        " \"a\"",
        " <a>",
        " :80",
    ] {
        // A comma may stand in a registered name.
        let status = if host == " a,b," { 200 } else { 400 };
        cases.push(case(format!("Host:{host}"), of(host), status));
    }
    cases
}

fn lengths() -> Vec<Case> {
    let mut cases = vec![
        case("a body", post("Content-Length: 5\r\n", "hello"), 200),
        case("an empty body", post("Content-Length: 0\r\n", ""), 200),
        case("no length and no body", post("", ""), 200),
        case("leading zeros", post("Content-Length: 0005\r\n", "hello"), 200),
        case("blanks around", post("Content-Length:  5 \r\n", "hello"), 200),
        case("GET with a body", get("Content-Length: 5\r\n") + "hello", 200),
        case("DELETE with a body", format!("DELETE /echo HTTP/1.1\r\n{HOST}Content-Length: 2\r\n\r\nab"), 200),
        case("line ends in a body", post("Content-Length: 6\r\n", "\n\n\r\n\r\n"), 200),
        case("two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), 400),
        case("two lengths alike", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400),
        case("length and coding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400),
        case("coding and length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400),
        case("coding in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        case("expect 100-continue", post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"), 100),
        case("expect more", post("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"), 417),
    ];
    for length in
        ["+5", "-5", "5,5", "5, 5", "0x5", "5 5", "", "five", "5;", "18446744073709551616", "1e3", "\"5\"", "5\u{0660}"]
    {
        cases.push(case(format!("length {length}"), post(&format!("Content-Length: {length}\r\n"), "hello"), 400));
    }
    for (coding, status) in [
        ("chunked", 200),
        ("Chunked", 200),
        (" chunked ", 200),
        ("gzip, chunked", 501),
        ("gzip", 400),
        ("chunked, chunked", 400),
        ("chunked, gzip", 400),
        ("identity", 400),
        ("", 400),
        ("chunked,", 400),
        ("xchunked", 400),
        ("chunked;q=1", 400),
        ("\"chunked\"", 400),
        ("\x0bchunked", 400),
        ("chunked\r\nTransfer-Encoding: chunked", 400),
        ("gzip\r\nTransfer-Encoding: chunked", 400),
        ("chunked\r\nTransfer-Encoding: identity", 400),
    ] {
        let name = format!("coding {}", coding.escape_default());
        cases.push(case(name, post(&format!("Transfer-Encoding: {coding}\r\n"), "0\r\n\r\n"), status));
    }
    cases
}

fn chunks() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, body) in [
        ("no chunk", "0\r\n\r\n"),
        ("one chunk", "5\r\nhello\r\n0\r\n\r\n"),
        ("two chunks", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
        ("a size in capitals", "A\r\n0123456789\r\n0\r\n\r\n"),
        ("zeros before a size", "0005\r\nhello\r\n0\r\n\r\n"),
        ("several zeros at the end", "5\r\nhello\r\n000\r\n\r\n"),
        ("an extension", "5;a=b\r\nhello\r\n0\r\n\r\n"),
        ("a quoted extension", "5;a=\"b;c\"\r\nhello\r\n0;x\r\n\r\n"),
        ("a trailer", "5\r\nhello\r\n0\r\nX: a\r\n\r\n"),
        ("line ends in a chunk", "4\r\n\r\n\n\n\r\n0\r\n\r\n"),
    ] {
        cases.push(case(name, chunked(body), 200));
    }
    for (name, body) in [
        ("LF after a size", "5\nhello\r\n0\r\n\r\n"),
        ("LF after a chunk", "5\r\nhello\n0\r\n\r\n"),
        ("no end of a chunk", "5\r\nhello0\r\n\r\n"),
        ("a chunk that is too long", "4\r\nhello\r\n0\r\n\r\n"),
        ("a chunk that is too short", "6\r\nhello\r\n0\r\n\r\n"),
        ("no size", "\r\nhello\r\n0\r\n\r\n"),
        ("a size of letters", "xyz\r\nhello\r\n0\r\n\r\n"),
        ("0x before a size", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("a plus before a size", "+5\r\nhello\r\n0\r\n\r\n"),
        ("a minus before a size", "-5\r\nhello\r\n0\r\n\r\n"),
        ("a blank before a size", " 5\r\nhello\r\n0\r\n\r\n"),
        ("a blank after a size", "5 \r\nhello\r\n0\r\n\r\n"),
        ("a size of 17 digits", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("CR alone after a size", "5\rhello\r\n0\r\n\r\n"),
        ("LF in an extension", "5;a\nhello\r\n0\r\n\r\n"),
        ("NUL in an extension", "5;a\0\r\nhello\r\n0\r\n\r\n"),
        ("LF after the last chunk", "5\r\nhello\r\n0\n\n"),
        ("a trailer without a colon", "5\r\nhello\r\n0\r\nX\r\n\r\n"),
        ("a folded trailer", "5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n"),
        ("LF after a trailer", "5\r\nhello\r\n0\r\nX: a\n\r\n"),
    ] {
        cases.push(case(name, chunked(body), 400));
    }
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(20_000));
    cases.push(case("an extension of 20,000", chunked(&long), 400));
    cases
}

fn upgrades() -> Vec<Case> {
    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const ASK: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let version = |version: &str| format!("Sec-WebSocket-Version: {version}\r\n");
    let with_post = format!("POST /echo HTTP/1.1\r\n{HOST}{ASK}{KEY}{}Content-Length: 0\r\n\r\n", version("13"));
    vec![
        case("an upgrade by POST", with_post, 400),
        case("an upgrade without a version", get(&format!("{ASK}{KEY}")), 400),
        case("an upgrade of version 8", get(&format!("{ASK}{KEY}{}", version("8"))), 426),
        case("an upgrade of version 14", get(&format!("{ASK}{KEY}{}", version("14"))), 426),
        case("an upgrade of two versions", get(&format!("{ASK}{KEY}{}", version("13, 8"))), 426),
        case("an upgrade without a key", get(&format!("{ASK}{}", version("13"))), 400),
        case("an upgrade with a short key", get(&format!("{ASK}{}Sec-WebSocket-Key: abc\r\n", version("13"))), 400),
        case("an upgrade with a body", get(&format!("{ASK}{KEY}{}Content-Length: 1\r\n", version("13"))) + "a", 400),
        case("an upgrade where none is", get(&format!("{ASK}{KEY}{}", version("13"))), 200),
        case("Upgrade without Connection", get(&format!("Upgrade: websocket\r\n{KEY}{}", version("13"))), 200),
        case(
            "an upgrade to h2c",
            get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"),
            200,
        ),
        case("an upgrade in HTTP/1.0", format!("GET /echo HTTP/1.0\r\n{ASK}{KEY}{}\r\n", version("13")), 200),
        case("what stands for refusals", get("flotilla-refused: 200 ok\r\n"), 400),
    ]
}

/// All cases.
pub fn cases() -> Vec<Case> {
    [lines(), line_ends(), hosts(), lengths(), chunks(), upgrades()].into_iter().flatten().collect()
}
