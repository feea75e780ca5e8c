//! Which headers pass, in both directions.

use flotilla_tests::{get, request};
use serde_json::Value;

use super::kit::start;

#[test]
fn headers_of_one_hop_end_and_those_of_strangers_do_not_count() {
    let up = start(1, &[]);
    let lines = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: bank.example\r\n\
                 X-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nProxy-Authorization: Basic eA==\r\n\
                 Keep-Alive: 5\r\nTE: trailers\r\nX-Kept: 1\r\n";
    let answer = request(up.http, "GET", "/echo", lines, "").unwrap();
    let echo: Value = serde_json::from_str(&answer.body).unwrap();
    let headers = &echo["headers"];
    assert_eq!(headers["x-kept"], "1", "{headers}");
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(headers["x-forwarded-proto"], "http");
    assert_eq!(headers["x-forwarded-host"], up.http.to_string());
    for gone in ["x-real-ip", "forwarded", "proxy-authorization", "keep-alive", "te"] {
        assert!(headers.get(gone).is_none(), "{gone} in {headers}");
    }
    // What Connection names goes no further; this client's own Connection: close is not the flow's to see.
    let (status, _) =
        super::kit::raw(up.http, b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: X-Secret\r\nX-Secret: 1\r\n\r\n");
    assert_eq!(status, 200);

    // More than hyper takes, here and at the replica.
    let lines: String = (0..110).map(|n| format!("X-Line-{n}: {n}\r\n")).collect();
    let answer = request(up.http, "GET", "/echo", &lines, "").unwrap();
    let echo: Value = serde_json::from_str(&answer.body).unwrap();
    let came =
        |n: usize| echo["headers"][format!("x-line-{n}")].as_str().and_then(|value| value.parse().ok()) == Some(n);
    assert!((0..110).all(came), "{echo}");

    let answer = get(up.http, "/many").unwrap();
    let head = answer.head.to_lowercase();
    assert_eq!((answer.status, answer.body.as_str()), (200, "many"), "{head}");
    assert!((0..100).all(|n| head.contains(&format!("\nx-many-{n}: {n}\r"))), "{head}");
    for gone in ["keep-alive:", "x-hop:"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
}

#[test]
fn a_trusted_proxy_says_who_the_client_is() {
    let up = start(1, &["--trust-proxy", "127.0.0.0/8"]);
    let lines = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n";
    let answer = request(up.http, "GET", "/echo", lines, "").unwrap();
    let echo: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(echo["headers"]["x-forwarded-for"], "6.6.6.6, 127.0.0.1");
    assert_eq!(echo["headers"]["x-forwarded-proto"], "https");
    assert_eq!(echo["headers"]["forwarded"], "for=6.6.6.6");
}
