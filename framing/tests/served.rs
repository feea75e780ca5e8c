//! What hyper makes of checked connections.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use flotilla_framing::{Alarm, Checked, Shortened};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

const HEAD: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(120);

/// Serves until the connection is closed. The path of a request says how many seconds its answer takes, its header `x-lines` how
/// many header lines the answer has; the answer says how many lines the request had, and whether it was in time.
async fn serve(server: DuplexStream) {
    let (stream, switch) = Checked::new(server);
    let alarm = Alarm::default();
    let timer = alarm.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (switch, alarm) = (switch.clone(), alarm.clone());
        async move {
            switch.complete(request.headers_mut());
            let seconds = request.uri().path()[1..].parse().unwrap();
            let answer = alarm.within(ANSWER, tokio::time::sleep(Duration::from_secs(seconds))).await;
            let word = if answer.is_some() { "in time" } else { "too late" };
            let mut response =
                Response::new(Full::new(Bytes::from(format!("{} lines, {word}", request.headers().len()))));
            let lines = request.headers().get("x-lines").and_then(|lines| lines.to_str().ok());
            for n in 0..lines.map_or(0, |lines| lines.parse().unwrap()) {
                response.headers_mut().append(line(n), HeaderValue::from(n));
            }
            switch.answered(response.status());
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    let _ = builder.timer(timer).header_read_timeout(HEAD).serve_connection(TokioIo::new(stream), service).await;
}

/// Each name stands for three lines.
fn line(n: u64) -> HeaderName {
    format!("x-line-{}", n / 3).parse().unwrap()
}

/// Asks and reads the answer; what it says.
async fn ask(client: &mut DuplexStream, seconds: u64) -> String {
    client.write_all(format!("GET /{seconds} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with(" time") && !answer.ends_with(" late") {
        let mut piece = [0; 1024];
        let length = client.read(&mut piece).await.unwrap();
        assert!(length > 0, "cut off after {answer}");
        answer += std::str::from_utf8(&piece[..length]).unwrap();
    }
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test(start_paused = true)]
async fn each_wait_of_a_connection_keeps_its_own_deadline() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let asking = async {
        for round in 0..100_u64 {
            let begun = Instant::now();
            assert_eq!(ask(&mut client, round % 7).await, "1 lines, in time");
            assert!(begun.elapsed() < Duration::from_secs(round % 7 + 1), "round {round}");
            // Shorter than the deadline of a head: over all rounds many times as long.
            tokio::time::sleep(HEAD / 2).await;
        }
        let begun = Instant::now();
        assert_eq!(ask(&mut client, 500).await, "1 lines, too late");
        let waited = begun.elapsed();
        assert!(waited >= ANSWER && waited < ANSWER + Duration::from_secs(1), "{waited:?}");
        // Half a head, and no more.
        client.write_all(b"GET /1 HTTP/1.1\r\n").await.unwrap();
        let begun = Instant::now();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        let waited = begun.elapsed();
        assert!(rest.is_empty() && waited + Duration::from_millis(10) >= HEAD, "{waited:?}");
        assert!(waited < HEAD + Duration::from_secs(1), "{waited:?}");
    };
    tokio::join!(serve(server), asking);
}

#[tokio::test]
async fn heads_with_more_lines_than_hyper_takes_are_whole_on_both_sides() {
    let (client, server) = tokio::io::duplex(1 << 16);
    let (stream, answers) = Shortened::new(client);
    let asking = async move {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let asking = async move {
            for (lines, back) in [(120, 150), (3, 0), (100, 90), (125, 3), (0, 188)] {
                let mut request = Request::new(Full::new(Bytes::new()));
                *request.uri_mut() = "/0".parse().unwrap();
                request.headers_mut().insert("host", HeaderValue::from_static("a"));
                request.headers_mut().insert("x-lines", HeaderValue::from(back));
                for n in 0..lines {
                    request.headers_mut().append(line(n), HeaderValue::from(n));
                }
                answers.expect();
                let mut response = sender.send_request(request).await.unwrap();
                answers.complete(response.headers_mut());
                for n in 0..back {
                    let values: Vec<_> = response.headers().get_all(line(n)).iter().collect();
                    assert_eq!(values[n as usize % 3], n.to_string().as_str(), "line {n} of {back}");
                }
                let body = http_body_util::Limited::new(response.into_body(), 1 << 16);
                #[allow(clippy::disallowed_methods, reason = "bounded by Limited")]
                let text = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
                // Beside the lines: Host, X-Lines, and the length of the empty body where hyper sends it.
                let seen = String::from_utf8_lossy(&text).into_owned();
                let count: u64 = seen.split(' ').next().unwrap().parse().unwrap();
                assert!(seen.ends_with("lines, in time") && (lines + 2..=lines + 3).contains(&count), "{seen}");
            }
        };
        let (connection, ()) = tokio::join!(connection, asking);
        connection.unwrap();
    };
    let served = tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(serve(server), asking) }).await;
    assert!(served.is_ok(), "a connection stands still");
}
