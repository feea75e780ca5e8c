//! Clients that follow something: each may be slow, so there are only so many.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::place::{Place, TOKEN};

const PATH: &str = "/api/v1/groups/g/debug?follow=true";

/// Begins to follow; answers the connection once the stream has begun, `None` when it is refused.
async fn follow(place: &Place) -> Option<TcpStream> {
    let address = place.admin.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_exact(&mut head)).await;
    read.expect("an answer within 30 s").unwrap();
    (&head == b"HTTP/1.1 200").then_some(stream)
}

#[tokio::test]
async fn only_so_many_follow_at_once_and_who_leaves_makes_room() {
    let place = Place::start().await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(follow(&place).await.expect("there is room"));
    }
    let refused = place.ask("GET", PATH, TOKEN, "").await;
    assert_eq!((refused.status, refused.code()), (429, "too_many_streams"), "{refused:?}");
    assert!(refused.head.to_lowercase().contains("retry-after: 5"), "{}", refused.head);
    let asked = place.ask("GET", "/api/v1/groups/g/debug", TOKEN, "").await;
    assert_eq!(asked.status, 200, "who does not follow is not concerned: {asked:?}");
    streams.truncate(60);
    // That a connection has ended is heard when its stream has something to say.
    let room = async {
        loop {
            match follow(&place).await {
                Some(stream) => break stream,
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    streams.push(tokio::time::timeout(Duration::from_secs(60), room).await.expect("who leaves makes room"));
}
