//! websocket in, websocket out, websocket-listener, websocket-client.

use std::net::SocketAddr;

use flotilla_engine::DeployMode;
use flotilla_engine::settings::Settings;
use flotilla_value::Value;
use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, accept_async, accept_hdr_async, connect_async};

use crate::flow::Flow;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn flow(nodes: serde_json::Value) -> Flow {
    Flow::with(nodes, Settings { workers: 2, ..Settings::default() }).unwrap()
}

async fn connect(address: SocketAddr, path: &str) -> Socket {
    connect_async(format!("ws://{address}{path}")).await.unwrap().0
}

async fn text(socket: &mut Socket) -> String {
    socket.next().await.unwrap().unwrap().into_text().unwrap().as_str().to_owned()
}

#[test]
fn a_listener_answers_one_and_tells_all() {
    let flow = flow(json!([
        {"id": "l", "type": "websocket-listener", "path": "/ws", "wholemsg": "false"},
        {"id": "i", "type": "websocket in", "server": "l", "wires": [["o", "out"]]},
        {"id": "o", "type": "websocket out", "server": "l", "wires": []},
    ]));
    let address = flow.http();
    let (mut one, mut two) = flow.run(async { (connect(address, "/ws").await, connect(address, "/ws").await) });
    flow.line(r#""text":"connected 2""#);
    flow.run(async {
        one.send(Message::text("hello")).await.unwrap();
        assert_eq!(text(&mut one).await, "hello");
    });
    assert_eq!(flow.messages(1)[0].get("_session").get("type"), Value::from("websocket"));
    flow.send_to("o", r#"{"payload":{"a":1}}"#);
    flow.run(async {
        assert_eq!(text(&mut one).await, r#"{"a":1}"#);
        assert_eq!(text(&mut two).await, r#"{"a":1}"#);
        one.send(Message::binary(vec![1, 2])).await.unwrap();
        assert_eq!(one.next().await.unwrap().unwrap().into_data(), vec![1, 2]);
        two.close(None).await.unwrap();
    });
    assert_eq!(flow.messages(2)[1].get("payload"), Value::Buffer(vec![1, 2].into()));
    flow.line(r#""text":"connected 1","event":"disconnect""#);
    assert_eq!(flow.settled().failed, 0);
    drop(flow);
}

#[test]
fn whole_messages_are_json() {
    let flow = flow(json!([
        {"id": "l", "type": "websocket-listener", "path": "ws", "wholemsg": "true"},
        {"id": "i", "type": "websocket in", "server": "l", "wires": [["out"]]},
        {"id": "n", "type": "websocket out", "server": "l", "wires": []},
    ]));
    let address = flow.http();
    let mut socket = flow.run(connect(address, "/ws"));
    flow.run(async { socket.send(Message::text(r#"{"payload":1,"topic":"t"}"#)).await.unwrap() });
    assert_eq!(flow.messages(1)[0].get("topic"), Value::from("t"));
    flow.send(r#"{"_msgid":"1","payload":2}"#);
    assert_eq!(flow.run(text(&mut socket)), r#"{"_msgid":"1","payload":2}"#);
}

#[test]
fn a_path_belongs_to_one_listener() {
    let flow = flow(json!([
        {"id": "a", "type": "websocket-listener", "path": "/ws"},
        {"id": "b", "type": "websocket-listener", "path": "/ws"},
        {"id": "n", "type": "websocket in", "server": "", "wires": [["out"]]},
    ]));
    flow.line("Another websocket-listener has the path /ws");
    flow.line("names no websocket-listener or websocket-client");
}

#[test]
fn a_client_connects_pings_and_connects_again() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let flow = flow(json!([
        {"id": "c", "type": "websocket-client", "path": format!("ws://{address}/x"), "wholemsg": "false", "hb": "1"},
        {"id": "i", "type": "websocket in", "client": "c", "wires": [["out"]]},
        {"id": "n", "type": "websocket out", "client": "c", "wires": []},
    ]));
    server.set_nonblocking(true).unwrap();
    flow.run(async {
        let server = TcpListener::from_std(server).unwrap();
        let mut peer = accept_async(server.accept().await.unwrap().0).await.unwrap();
        peer.send(Message::text("in")).await.unwrap();
        assert!(matches!(peer.next().await, Some(Ok(Message::Ping(_)))));
        drop(peer);
        let mut again = accept_async(server.accept().await.unwrap().0).await.unwrap();
        again.send(Message::text("again")).await.unwrap();
        flow.send(r#"{"payload":"out"}"#);
        loop {
            match again.next().await.unwrap().unwrap() {
                Message::Text(text) => break assert_eq!(text.as_str(), "out"),
                other => assert!(matches!(other, Message::Ping(_))),
            }
        }
    });
    assert_eq!(flow.payloads(2), r#"["in","again"]"#);
    flow.line(r#""event":"disconnect""#);
}

#[test]
fn a_client_connects_only_when_a_node_uses_it() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    server.set_nonblocking(true).unwrap();
    let client =
        json!({"id": "c", "type": "websocket-client", "path": format!("ws://{address}/unused"), "wholemsg": "false"});
    let tab = json!({"id": "t", "type": "tab", "label": "tab"});
    let used =
        json!({"id": "c2", "type": "websocket-client", "path": format!("ws://{address}/used"), "wholemsg": "false"});
    let user = json!({"id": "n", "z": "t", "type": "websocket out", "client": "c2", "wires": []});
    let settings = Settings { workers: 1, ..Settings::default() };
    let flow = Flow::documented(&json!([tab, client, used, user]), settings).unwrap();
    let server = flow.run(async { TcpListener::from_std(server).unwrap() });
    let (first, path) = flow.run(accept(&server));
    assert_eq!(path, "/used");
    // A node begins to use the other, in a later deploy that leaves the config node alone.
    let late = json!({"id": "n2", "z": "t", "type": "websocket out", "client": "c", "wires": []});
    flow.redeploy(&json!([tab, client, used, user, late]), DeployMode::Nodes);
    let (second, path) = flow.run(accept(&server));
    assert_eq!(path, "/unused");
    drop((first, second));
}

#[allow(clippy::result_large_err, reason = "the type of the library's callback")]
/// Takes a connection, and says which path it asked for.
async fn accept(server: &TcpListener) -> (WebSocketStream<TcpStream>, String) {
    let mut path = String::new();
    let look = |request: &Request, response: Response| {
        request.uri().path().clone_into(&mut path);
        Ok(response)
    };
    let socket = accept_hdr_async(server.accept().await.unwrap().0, look).await.unwrap();
    (socket, path)
}
