//! Connections whose bytes are checked, from outside.

#![allow(clippy::disallowed_methods, reason = "a panic of a helper shows in the test that waits for it")]
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use flotilla_sockets::STALLED;

use super::Checked;
use super::head::{Follows, check};
use super::switch::Switch;

fn head(lines: &str) -> Result<Follows, u16> {
    let checked = check(format!("{}\r\n\r\n", lines.replace('\n', "\r\n")).as_bytes());
    checked.map(|head| head.follows).map_err(|refusal| refusal.status.as_u16())
}

/// What hyper would read of these bytes, each written alone.
async fn passed(bytes: &[u8]) -> String {
    passed_in(bytes, 1).await.0
}

/// What hyper would read of bytes that come in such pieces.
async fn passed_in(bytes: &[u8], piece: usize) -> (String, Switch) {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let (mut checked, switch) = Checked::new(server);
    let bytes = bytes.to_vec();
    let writing = tokio::spawn(async move {
        for piece in bytes.chunks(piece) {
            client.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    let mut all = Vec::new();
    // A refused connection stays open, to be answered.
    let _ = tokio::time::timeout(Duration::from_secs(5), checked.read_to_end(&mut all)).await;
    writing.abort();
    (String::from_utf8(all).unwrap(), switch)
}

#[tokio::test(start_paused = true)]
async fn good_requests_pass_byte_by_byte_and_unchanged() {
    let good = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n\
                POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\na\n\r\nb\
                POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\na\nb\r\n0\r\nT: 1\r\n\r\n\
                GET /d HTTP/1.0\r\n\r\n";
    assert_eq!(passed(good.as_bytes()).await, good);
}

#[tokio::test(start_paused = true)]
async fn what_passes_does_not_depend_on_how_it_comes() {
    let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let post = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\na\n\r\nb";
    let chunks = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\nb\r\n0\r\n\r\n";
    let many = format!("GET /d HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(120));
    for bytes in [
        get.to_owned(),
        format!("\r\n\r\n{get}"),
        format!("\r\n\r\n\r\n{get}"),
        format!("{post}{get}"),
        format!("{chunks}{post}"),
        format!("{get}\r\n{get}GET / HTTP/1.1\nHost: a\n\n{get}"),
        format!("{get}{many}{post}{many}"),
        format!("{post}GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: a\r\nX: ".to_owned(),
    ] {
        let alone = passed(bytes.as_bytes()).await;
        for piece in [2, 7, 40, 200, bytes.len()] {
            assert_eq!(passed_in(bytes.as_bytes(), piece).await.0, alone, "{piece}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lines_that_hyper_does_not_take_reach_the_server_with_their_own_request() {
    let with = |path: &str, lines: usize| {
        let lines: String = (0..lines).map(|n| format!("X-{n}: {path}\r\n")).collect();
        format!("GET /{path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
    };
    let requests = [("a", 110), ("b", 3), ("c", 127), ("d", 99)];
    let bytes: String = requests.iter().map(|(path, lines)| with(path, *lines)).collect();
    for piece in [1, 500, bytes.len()] {
        let (seen, switch) = passed_in(bytes.as_bytes(), piece).await;
        let mut heads = seen.split_terminator("\r\n\r\n");
        for (path, lines) in requests {
            let head = heads.next().unwrap();
            assert!(head.lines().count() <= 101, "{head}");
            let mut rest = HeaderMap::new();
            switch.complete(&mut rest);
            for n in 0..lines {
                let read = head.contains(&format!("\nX-{n}: {path}"));
                let went_round = rest.get(format!("x-{n}")).is_some_and(|value| value == path);
                assert!(read != went_round, "line {n} of {path}");
            }
            assert_eq!(head.lines().count() + rest.len(), lines + 2, "{path}");
        }
        assert_eq!(heads.next(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_comes_in_its_turn_and_nothing_behind_it() {
    let seen = passed(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\nHost: a\n\nGET /c HTTP/1.1\r\n").await;
    assert!(seen.starts_with("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("flotilla-refused: 400 ") && !seen.contains("/b") && !seen.contains("/c"), "{seen}");
}

#[tokio::test]
async fn what_follows_an_upgrade_waits_for_its_answer() {
    let ask = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
               Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for status in [StatusCode::SWITCHING_PROTOCOLS, StatusCode::NOT_FOUND] {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let (mut checked, switch) = Checked::new(server);
        client.write_all(format!("{ask}\n\n\n").as_bytes()).await.unwrap();
        let mut read = vec![0; ask.len()];
        checked.read_exact(&mut read).await.unwrap();
        let mut rest = [0; 64];
        let early = tokio::time::timeout(Duration::from_millis(20), checked.read(&mut rest)).await;
        assert!(early.is_err(), "read before the answer");
        switch.answered(status);
        let length = checked.read(&mut rest).await.unwrap();
        let tunnel = status == StatusCode::SWITCHING_PROTOCOLS;
        assert_eq!(&rest[..length] == b"\n\n\n", tunnel);
    }
}

#[test]
fn heads_say_what_follows() {
    assert_eq!(head("GET / HTTP/1.1\nHost: a"), Ok(Follows::Body(0)));
    assert_eq!(head("GET http://a/x HTTP/1.1\nHost: a"), Ok(Follows::Body(0)));
    assert_eq!(head("OPTIONS * HTTP/1.1\nHost: a"), Ok(Follows::Body(0)));
    assert_eq!(head("PUT / HTTP/1.1\nHost: [::1]:80\nContent-Length: 7"), Ok(Follows::Body(7)));
    assert_eq!(head("PUT / HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked"), Ok(Follows::Chunks));
    assert_eq!(head("GET http://b/x HTTP/1.1\nHost: a"), Err(400));
    assert_eq!(head("PUT / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked"), Err(501));
    assert_eq!(head("PUT / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, chunked"), Err(400));
    assert_eq!(head("GET / HTTP/2.0\nHost: a"), Err(505));
}

#[test]
fn a_head_has_128_lines_at_most() {
    let with =
        |lines: usize| head(&format!("GET / HTTP/1.1\nHost: a{}\nContent-Length: 7", "\nx: 1".repeat(lines - 2)));
    assert_eq!(with(128), Ok(Follows::Body(7)), "the last line is read");
    assert_eq!(with(129), Err(431));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut_off() {
    let (_client, server) = tokio::io::duplex(64);
    let (mut checked, _switch) = Checked::new(server);
    let begun = tokio::time::Instant::now();
    let written = checked.write_all(&[0; 1024]).await;
    assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert!(begun.elapsed() >= STALLED && begun.elapsed() < STALLED * 2, "{:?}", begun.elapsed());
}
