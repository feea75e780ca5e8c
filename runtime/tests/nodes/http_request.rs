//! http request on connections that are kept alive.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};

use flotilla_value::Value;

use crate::flow::Flow;

/// Reads a request's head and answers it, or not.
fn request(peer: &mut TcpStream, answer: &str) -> Option<String> {
    let mut bytes = Vec::new();
    while !(bytes.ends_with(b"\r\n\r\nx") || bytes.starts_with(b"GET") && bytes.ends_with(b"\r\n\r\n")) {
        let mut byte = [0];
        if peer.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    peer.write_all(answer.as_bytes()).unwrap();
    Some(String::from_utf8_lossy(&bytes).split(' ').next().unwrap_or_default().to_owned())
}

/// A server that answers the first request of each connection, and closes without an answer at the second. Tells of every
/// request.
fn server() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = sync_channel(100);
    std::thread::spawn(move || {
        while let Ok((mut peer, _)) = listener.accept() {
            for answer in ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ""] {
                match request(&mut peer, answer) {
                    Some(method) => tell.send(method).unwrap_or_default(),
                    None => break,
                }
            }
        }
    });
    (port, told)
}

fn flow(method: &str, port: u16) -> Flow {
    Flow::of(&format!(
        r#"{{"type":"http request","method":"{method}","url":"http://127.0.0.1:{port}/","ret":"txt","persist":true,"paytoqs":"ignore"}}"#
    ))
}

#[test]
fn a_post_that_may_have_been_carried_out_is_not_sent_again() {
    let (port, told) = server();
    let flow = flow("POST", port);
    flow.send(r#"{"payload":"x"}"#);
    assert_eq!(flow.messages(1)[0].get("payload"), Value::from("ok"));
    flow.send(r#"{"payload":"x"}"#);
    assert_eq!(flow.messages(2)[1].get("statusCode"), Value::from("ECONNRESET"));
    drop(flow);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["POST", "POST"]);
}

#[test]
fn a_get_is() {
    let (port, told) = server();
    let flow = flow("GET", port);
    flow.send(r#"{"payload":"x"}"#);
    flow.messages(1);
    flow.send(r#"{"payload":"x"}"#);
    assert_eq!(flow.messages(2)[1].get("payload"), Value::from("ok"));
    drop(flow);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["GET", "GET", "GET"]);
}
