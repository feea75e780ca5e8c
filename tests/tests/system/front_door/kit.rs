//! A flow that says what reached it, and raw requests.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use flotilla_tests::{Up, UpOptions, write_flow};
use serde_json::{Value, json};

/// Answers any request to `/echo` with its method, headers and payload; `/many` with 100 headers; `/fail` never.
pub fn flow() -> Value {
    let mut nodes = vec![json!({"id": "tab", "type": "tab", "label": "front door"})];
    let mut route = |url: &str, methods: &[&str], code: &str| {
        let function = format!("f-{}", &url[1..]);
        for method in methods {
            let id = format!("in-{}-{method}", &url[1..]);
            nodes.push(
                json!({"id": id, "type": "http in", "z": "tab", "url": url, "method": method, "wires": [[function]]}),
            );
        }
        let out = format!("out-{}", &url[1..]);
        nodes.push(
            json!({"id": function, "type": "function", "z": "tab", "func": code, "outputs": 1, "wires": [[out]]}),
        );
        nodes.push(json!({"id": out, "type": "http response", "z": "tab", "wires": []}));
    };
    route(
        "/echo",
        &["get", "post", "put", "delete", "patch"],
        "msg.payload = {method: msg.req.method, headers: msg.req.headers, payload: msg.payload}; return msg;",
    );
    route(
        "/many",
        &["get"],
        "msg.headers = {}; for (let i = 0; i < 100; i++) msg.headers['x-many-' + i] = String(i);\n\
         msg.headers['Keep-Alive'] = '5'; msg.headers['X-Hop'] = '1'; msg.headers['Connection'] = 'X-Hop';\n\
         msg.payload = 'many'; return msg;",
    );
    Value::Array(nodes)
}

/// A group that runs it.
pub fn start(replicas: usize, args: &[&str]) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow()).unwrap();
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Up::start(&file, UpOptions { replicas, args }).unwrap()
}

/// Where a replica's own HTTP server is.
pub fn replica_http(up: &Up) -> SocketAddr {
    let status = up.api().get("/api/v1/status").unwrap();
    let list: Value = serde_json::from_str(&status.body).unwrap();
    list[0]["http"].as_str().unwrap().parse().unwrap()
}

/// Sends bytes and reads to the end of the first answer's head: status and head. 0 when the connection ends without one.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = stream.write_all(bytes);
    let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
    while !seen.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(read) => seen.extend_from_slice(&piece[..read]),
        }
    }
    let head = String::from_utf8_lossy(&seen).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head)
}
