//! Whatever a replica's control refuses, and whoever of its parts does, is a problem with a code.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flotilla_engine::context::Contexts;
use flotilla_engine::observe::{DebugFeed, LogEntry, Observer};
use flotilla_engine::settings::Settings;
use flotilla_engine::{Alone, Engine, EngineParts};
use flotilla_gateway::admin::{LARGEST, Token};
use flotilla_tasks::Task;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::gate::{Control, Opened};

const TOKEN: &str = "0123456789abcdef";
/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(30);
const JSON: &str = "application/json";

/// Every route, with its method and a path.
const ROUTES: [(&str, &str, &str); 7] = [
    ("GET", "/control/v1/nodes", "/control/v1/nodes"),
    ("POST", "/control/v1/nodes/{node}/inject", "/control/v1/nodes/n/inject"),
    ("GET", "/control/v1/debug", "/control/v1/debug"),
    ("GET", "/control/v1/timers", "/control/v1/timers"),
    ("GET", "/control/v1/trails", "/control/v1/trails"),
    ("POST", "/control/v1/trails/rule", "/control/v1/trails/rule"),
    ("GET", "/control/v1/logs", "/control/v1/logs"),
];

struct Silent;

impl Observer for Silent {
    fn log(&self, _entry: &LogEntry) {}
}

/// A replica's control, of an engine without a flow.
struct Place {
    address: SocketAddr,
    control: Control,
    engine: Engine,
}

impl Place {
    /// Not opened yet.
    async fn start() -> Place {
        let settings = Settings { replica: "r".to_owned(), workers: 1, ..Settings::default() };
        let parts = EngineParts {
            settings,
            contexts: Arc::new(Contexts::default()),
            observer: Box::new(Silent),
            schedule: Arc::new(Alone),
            types: flotilla_runtime::types(),
        };
        let engine = Engine::start(parts).unwrap();
        let control = Control::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = control.routes();
        let task =
            Task { name: "control", owner: "test".into(), ends: "the test ends", failure: "requests are not answered" };
        drop(task.spawn(async move { drop(axum::serve(listener, app).await) }));
        Place { address, control, engine }
    }

    async fn opened() -> Place {
        let place = Place::start().await;
        place.control.open(Opened {
            token: Token::new(TOKEN).unwrap(),
            id: "r".to_owned(),
            shared: place.engine.shared().clone(),
            debug: Arc::new(DebugFeed::default()),
        });
        place
    }

    /// One request, which is to be refused with this status and code.
    async fn is_refused(&self, request: (&str, &str), kind: &str, body: &[u8], status: u16, code: &str) {
        let asked = self.ask(request, TOKEN, kind, body);
        is_problem(request, &asked.await, status, code);
    }

    async fn ask(&self, (method, path): (&str, &str), token: &str, kind: &str, body: &[u8]) -> (String, Value) {
        let asked = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: r\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body).await.unwrap();
            let mut answer = String::new();
            stream.take(1 << 20).read_to_string(&mut answer).await.unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
            (head.to_owned(), serde_json::from_str(body).unwrap_or_default())
        };
        tokio::time::timeout(LIMIT, asked).await.expect("an answer in time")
    }
}

fn is_problem(request: (&str, &str), (head, body): &(String, Value), status: u16, code: &str) {
    let said = (head.split(' ').nth(1), body["code"].as_str(), body["status"].as_u64());
    assert_eq!(said, (Some(&*status.to_string()), Some(code), Some(u64::from(status))), "{request:?}: {body}");
    assert!(head.to_lowercase().contains("application/problem+json"), "{request:?}: {head}");
    assert!(!body["detail"].as_str().unwrap_or_default().is_empty(), "{request:?}: {body}");
}

#[test]
fn every_route_is_asked() {
    let source = include_str!("gate.rs");
    let found: Vec<&str> = source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let asked: Vec<&str> = ROUTES.iter().map(|(_, route, _)| *route).chain(["/control/v1/{*rest}"]).collect();
    assert_eq!(found, asked);
}

#[tokio::test]
async fn what_every_route_refuses_is_a_problem() {
    let (closed, place) = (Place::start().await, Place::opened().await);
    for (method, _, path) in ROUTES {
        closed.is_refused((method, path), JSON, b"{}", 503, "starts").await;
        let unknown = place.ask((method, path), "another token of 16", JSON, b"{}").await;
        is_problem((method, path), &unknown, 401, "no_control_token");
        let other = if method == "GET" { "POST" } else { "GET" };
        for wrong in [other, "PUT", "PATCH", "DELETE"] {
            place.is_refused((wrong, path), JSON, b"{}", 405, "method_not_allowed").await;
        }
        place.is_refused((method, &format!("{path}/nothing")), JSON, b"{}", 404, "not_found").await;
    }
}

#[tokio::test]
async fn a_bad_path_or_query_is_a_problem() {
    let place = Place::opened().await;
    place.is_refused(("POST", "/control/v1/nodes/%ff/inject"), JSON, b"{}", 400, "bad_path").await;
    for path in [
        "/control/v1/debug?from=many",
        "/control/v1/debug?follow=yes",
        "/control/v1/trails?failed=yes",
        "/control/v1/trails?most=all",
        "/control/v1/logs?from=-1",
    ] {
        place.is_refused(("GET", path), JSON, b"", 400, "bad_query").await;
    }
}

#[tokio::test]
async fn a_bad_body_is_a_problem() {
    let place = Place::opened().await;
    let mut large = vec![b' '; LARGEST + 1];
    large[..2].copy_from_slice(b"{}");
    for (method, _, path) in ROUTES.into_iter().filter(|(method, ..)| *method == "POST") {
        for (kind, body, status, code) in [
            (JSON, b"{".as_slice(), 400, "bad_body"),
            (JSON, b"5".as_slice(), 422, "bad_body"),
            ("text/plain", b"{}".as_slice(), 415, "not_json"),
            (JSON, large.as_slice(), 413, "body_too_large"),
        ] {
            place.is_refused((method, path), kind, body, status, code).await;
        }
    }
}

#[tokio::test]
async fn what_a_handler_refuses_is_a_problem() {
    let place = Place::opened().await;
    place.is_refused(("POST", "/control/v1/nodes/n/inject"), JSON, b"{}", 404, "no_such_node").await;
    let rule = br#"{"node": "n", "next": 1}"#;
    place.is_refused(("POST", "/control/v1/trails/rule"), JSON, rule, 404, "no_such_node").await;
}
