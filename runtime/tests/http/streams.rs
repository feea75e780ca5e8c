//! Answers that are sent while the flow writes them: server-sent events, large downloads.

use std::time::Duration;

use flotilla_engine::settings::Settings;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Running, route, run};

/// Nothing here takes longer, whatever the machine does meanwhile.
const DEADLINE: Duration = Duration::from_secs(30);

fn function(id: &str, code: &str) -> Json {
    json!({"id": id, "type": "function", "z": "t", "func": code, "wires": [["out"]]})
}

/// Runs functions, each behind the path of its id.
async fn flow(functions: &[(&str, &str)]) -> Running {
    let mut nodes = vec![json!({"id": "t", "type": "tab"}), json!({"id": "out", "type": "http response", "z": "t"})];
    for (id, code) in functions {
        nodes.extend([route("get", &format!("/{id}"), id), function(id, code)]);
    }
    run(nodes.into(), Settings { workers: 1, ..Settings::default() }).await
}

struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    async fn ask(running: &Running, path: &str) -> Client {
        let mut stream = TcpStream::connect(running.server.local_addr()).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await.unwrap();
        Client { stream, read: Vec::new() }
    }

    /// Reads until what was read ends so.
    async fn until(&mut self, end: &str) -> String {
        let reading = async {
            while !String::from_utf8_lossy(&self.read).contains(end) {
                let mut some = [0; 4096];
                let count = self.stream.read(&mut some).await.unwrap();
                assert!(count > 0, "the server closed after {}", String::from_utf8_lossy(&self.read));
                self.read.extend_from_slice(&some[..count]);
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.expect(end);
        String::from_utf8_lossy(&self.read).into_owned()
    }
}

async fn ask(running: &Running, path: &str) -> String {
    tokio::time::timeout(DEADLINE, running.ask(&format!("GET {path} HTTP/1.1"))).await.unwrap()
}

async fn idle(running: &Running) {
    let idle = tokio::time::timeout(DEADLINE, running.engine.shared().deliveries().idle()).await;
    assert!(idle.is_ok(), "{:?}", running.engine.shared().deliveries().counts());
}

#[tokio::test]
async fn events_reach_clients_as_they_are_written_and_a_client_that_leaves_is_told() {
    let running = flow(&[
        (
            "events",
            "const res = msg.res._res; res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
             res.flushHeaders();
             const all = flow.get('clients') || []; all.push(res); flow.set('clients', all);
             msg.req.on('close', () => flow.set('left', (flow.get('left') || 0) + 1));",
        ),
        (
            "tell",
            "const all = flow.get('clients') || [];
             msg.payload = all.map((res) => res.write(`data: ${msg.payload.text}\\n\\n`)); return msg;",
        ),
        ("left", "msg.payload = String(flow.get('left') || 0); return msg;"),
    ])
    .await;
    let (mut one, mut two) = (Client::ask(&running, "/events").await, Client::ask(&running, "/events").await);
    let head = one.until("\r\n\r\n").await;
    assert!(head.contains("content-type: text/event-stream") && head.contains("transfer-encoding: chunked"), "{head}");
    two.until("\r\n\r\n").await;
    idle(&running).await;
    assert!(ask(&running, "/tell?text=first").await.ends_with("[true,true]"));
    one.until("data: first\n\n").await;
    two.until("data: first\n\n").await;
    drop(two);
    let until = tokio::time::Instant::now() + DEADLINE;
    while !ask(&running, "/left").await.ends_with("\r\n\r\n1") {
        assert!(tokio::time::Instant::now() < until, "nobody was told that the client left");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(ask(&running, "/tell?text=second").await.ends_with("[true,false]"), "written to a client that is gone");
    one.until("data: second\n\n").await;
    running.end().await;
}

#[tokio::test]
async fn a_download_waits_for_its_client() {
    let running = flow(&[
        (
            "large",
            "const res = msg.res._res; const piece = Buffer.alloc(65536, 'x'); let most = 0;
             for (let n = 0; n < 1000; n += 1) {
                 if (!res.write(piece)) await new Promise((go) => res.once('drain', go));
                 most = Math.max(most, res.writableLength);
             }
             res.end('end'); flow.set('most', most);",
        ),
        ("most", "msg.payload = String(flow.get('most')); return msg;"),
    ])
    .await;
    let mut client = Client::ask(&running, "/large").await;
    client.until("\r\n\r\n").await;
    // It reads nothing, and all of it does not fit into the buffers of the connection. That nothing ends is seen with time alone.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(running.engine.shared().deliveries().counts().in_flight, 1, "the function waits for its client");
    let mut rest = Vec::new();
    let reading = async {
        let mut some = vec![0; 1 << 20];
        while !rest.ends_with(b"end\r\n0\r\n\r\n") {
            let count = client.stream.read(&mut some).await.unwrap();
            assert!(count > 0);
            rest.extend_from_slice(&some[..count]);
        }
    };
    tokio::time::timeout(DEADLINE, reading).await.unwrap();
    assert!(rest.len() + client.read.len() > 1000 * 65536);
    idle(&running).await;
    let most = ask(&running, "/most").await;
    assert!(most.ends_with("\r\n\r\n65536") || most.ends_with("\r\n\r\n0"), "no more than one piece waits: {most}");
    running.end().await;
}

#[tokio::test]
async fn methods_of_an_answer_are_of_the_realm_of_whoever_calls_them() {
    let running = flow(&[
        ("shared", "msg.res._res.set('X-A', 'b'); msg.payload = 'shared'; return msg;"),
        ("own", "Array.prototype.last = 1; msg.res._res.end(Buffer.from('bytes'));"),
    ])
    .await;
    for _ in 0..2 {
        let shared = ask(&running, "/shared").await;
        assert!(shared.ends_with("\r\n\r\nshared"), "{shared}");
        let own = ask(&running, "/own").await;
        assert!(own.ends_with("\r\n\r\nbytes"), "{own}");
    }
    running.end().await;
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_lets_the_function_go() {
    let code = "const res = msg.res._res; const piece = Buffer.alloc(65536, 'x');
        for (;;) { if (!res.write(piece)) await new Promise((go) => res.once('drain', go)); }";
    let running = flow(&[("endless", code)]).await;
    let mut client = Client::ask(&running, "/endless").await;
    client.until("xxxx").await;
    assert_eq!(running.engine.shared().deliveries().counts().in_flight, 1);
    drop(client);
    idle(&running).await;
    running.end().await;
}

#[tokio::test]
async fn what_is_written_and_ended_is_one_answer() {
    let running = flow(&[
        (
            "page",
            "const res = msg.res._res; res.status(201).type('txt'); res.write('one '); res.write(Buffer.from('two '));
             const during = [res.headersSent, res.writableEnded]; res.end('three');
             res.on('finish', () => flow.set('seen', [...during, res.writableEnded, res.writableFinished]));",
        ),
        ("seen", "msg.payload = JSON.stringify(flow.get('seen')); return msg;"),
        ("late", "const res = msg.res._res; res.write('a'); res.end(); try { res.write('b'); } catch (e) { flow.set('seen', e.message); }"),
        ("head", "const res = msg.res._res; res.write('a'); try { res.set('x', '1'); } catch (e) { res.end(e.message); }"),
        ("bad", "const res = msg.res._res; try { res.write(5); } catch (e) { res.end(e.message); }"),
        ("cut", "msg.res._res.write('half'); return null;"),
        ("fails", "msg.res._res.write('half'); throw new Error('boom');"),
        ("twice", "msg.res._res.write('a'); msg.res._res.end(); return msg;"),
    ])
    .await;
    let page = ask(&running, "/page").await;
    assert!(page.starts_with("HTTP/1.1 201 Created\r\n") && page.contains("content-type: text/plain"), "{page}");
    assert_eq!(page.matches("one ").count(), 1);
    assert!(page.contains("two ") && page.contains("three") && page.ends_with("0\r\n\r\n"), "{page}");
    assert!(ask(&running, "/seen").await.ends_with("[true,false,true,true]"));
    assert!(ask(&running, "/late").await.ends_with("a\r\n0\r\n\r\n"));
    assert!(ask(&running, "/seen").await.ends_with("\"write after end\""));
    assert!(ask(&running, "/head").await.contains("Cannot set headers after they are sent to the client"));
    let bad = ask(&running, "/bad").await;
    assert!(
        bad.contains("must be of type string or an instance of Buffer or Uint8Array. Received type number (5)"),
        "{bad}"
    );
    // A part is not taken for the whole: the last, empty chunk is missing.
    for path in ["/cut", "/fails"] {
        let half = ask(&running, path).await;
        assert!(half.starts_with("HTTP/1.1 200 OK") && !half.contains("\r\n0\r\n"), "{path}: {half}");
    }
    assert!(ask(&running, "/twice").await.ends_with("a\r\n0\r\n\r\n"));
    let head = running.ask("HEAD /page HTTP/1.1").await;
    assert!(head.starts_with("HTTP/1.1 201") && head.ends_with("\r\n\r\n"), "{head}");
    running.end().await;
}
