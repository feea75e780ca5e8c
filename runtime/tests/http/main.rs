//! Requests through real flows, over real sockets.
#![allow(clippy::disallowed_methods, reason = "a panic of a helper shows in the test that waits for it")]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

mod objects;
mod streams;

use std::sync::Arc;

use flotilla_flows::Document;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use flotilla_engine::context::Contexts;
use flotilla_engine::observe::TracingObserver;
use flotilla_engine::settings::Settings;
use flotilla_engine::{Alone, Credentials, DeployMode, Engine, EngineParts};

use flotilla_http::HttpServer;

struct Running {
    engine: Engine,
    server: Arc<HttpServer>,
}

async fn run(flow: serde_json::Value, settings: Settings) -> Running {
    let engine = Engine::start(EngineParts {
        settings,
        contexts: Arc::new(Contexts::default()),
        observer: Box::new(TracingObserver),
        schedule: Arc::new(Alone),
        types: flotilla_runtime::types(),
    })
    .unwrap();
    let server = HttpServer::bind(engine.shared(), ([127, 0, 0, 1], 0).into()).unwrap();
    let document = Document::from_value(flow).unwrap();
    let report = engine.deploy(&document, Credentials::default(), DeployMode::Full).await.unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    Running { engine, server }
}

impl Running {
    /// Sends one request as it stands and reads until the server closes.
    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.server.local_addr()).await.unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
        let whole = format!("{head}\r\nHost: h\r\nConnection: close\r\n\r\n{body}");
        stream.write_all(whole.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn end(self) {
        self.server.stop();
        self.engine.shutdown().await;
    }
}

fn route(method: &str, url: &str, to: &str) -> serde_json::Value {
    json!({"id": format!("in-{method}-{}", url.replace(['/', ':'], "_")), "type": "http in", "z": "t", "method": method, "url": url, "wires": [[to]]})
}

#[tokio::test]
async fn requests_go_through_the_flow() {
    let flow = json!([
        {"id": "t", "type": "tab"},
        route("get", "/echo", "out"),
        route("get", "/u/:id", "f"),
        route("post", "/echo", "out"),
        {"id": "f", "type": "function", "z": "t", "wires": [["out"]],
         "func": "msg.payload = {id: msg.req.params.id, agent: msg.req.get('user-agent')}; return msg;"},
        {"id": "out", "type": "http response", "z": "t", "headers": {"X-Own": "1"}},
    ]);
    let running = run(flow, Settings::default()).await;
    let answer = running.ask("GET /echo?a=1 HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("x-own: 1") && answer.ends_with("{\"a\":\"1\"}"), "{answer}");
    let answer = running.ask("GET /u/7 HTTP/1.1\r\nUser-Agent: me").await;
    assert!(answer.ends_with("{\"id\":\"7\",\"agent\":\"me\"}"), "{answer}");
    let json = "POST /echo HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"b\":2}";
    assert!(running.ask(json).await.ends_with("{\"b\":2}"));
    let text = "POST /echo HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
    assert!(running.ask(text).await.ends_with("\r\n\r\nhi"));
    let head = running.ask("HEAD /echo HTTP/1.1").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(running.ask("OPTIONS /echo HTTP/1.1").await.ends_with("GET,HEAD,POST"));
    assert!(running.ask("GET /none HTTP/1.1").await.starts_with("HTTP/1.1 404"));
    running.end().await;
}

#[tokio::test]
async fn a_request_is_never_left_without_an_answer() {
    let flow = json!([
        {"id": "t", "type": "tab"},
        route("get", "/silent", "none"),
        route("get", "/throws", "f"),
        route("get", "/slow", "kept"),
        route("post", "/echo", "out"),
        {"id": "none", "type": "function", "z": "t", "func": "return null;", "wires": [[]]},
        {"id": "f", "type": "function", "z": "t", "func": "throw new Error('boom');", "wires": [[]]},
        {"id": "kept", "type": "function", "z": "t", "func": "context.set('kept', [1]); setTimeout(() => node.send(msg), 60000);", "wires": [[]]},
        {"id": "out", "type": "http response", "z": "t"},
    ]);
    let mut settings = Settings { max_in_flight: 10, ..Settings::default() };
    settings.node_red.insert("apiMaxLength".to_owned(), json!(4));
    settings.node_red.insert("httpNodeTimeout".to_owned(), json!(300));
    let running = run(flow, settings).await;
    assert!(running.ask("GET /silent HTTP/1.1").await.starts_with("HTTP/1.1 502"));
    let thrown = running.ask("GET /throws HTTP/1.1").await;
    assert!(thrown.starts_with("HTTP/1.1 502") && thrown.contains("boom"), "{thrown}");
    let slow = running.ask("GET /slow HTTP/1.1").await;
    assert!(slow.starts_with("HTTP/1.1 50"), "{slow}");
    let large = "POST /echo HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
    assert!(running.ask(large).await.starts_with("HTTP/1.1 413"));
    running.end().await;
}

#[tokio::test]
async fn http_request_talks_to_http_in() {
    let flow = json!([
        {"id": "t", "type": "tab"},
        route("get", "/start", "call"),
        {"id": "call", "type": "http request", "z": "t", "method": "POST", "ret": "obj", "url": "http://{{{req.headers.x-to}}}/old", "wires": [["out"]]},
        route("post", "/old", "moved"),
        {"id": "moved", "type": "http response", "z": "t", "statusCode": "307", "headers": {"Location": "/new", "Set-Cookie": "k=v"}},
        route("post", "/new", "f"),
        {"id": "f", "type": "function", "z": "t", "func": "msg.payload = {body: msg.payload, cookie: msg.req.cookies.k}; return msg;", "wires": [["out2"]]},
        {"id": "out", "type": "http response", "z": "t"},
        {"id": "out2", "type": "http response", "z": "t"},
    ]);
    let running = run(flow, Settings::default()).await;
    let request = format!("GET /start?q=1 HTTP/1.1\r\nX-To: {}", running.server.local_addr());
    let answer = running.ask(&request).await;
    assert!(answer.ends_with("{\"body\":{\"q\":\"1\"},\"cookie\":\"v\"}"), "{answer}");
    running.end().await;
}
