//! One connection of a client.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use flotilla_framing::Checked;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::door::{Client, Door, From};
use super::forward;
use super::sockets;

/// For clients that are too many. They are told in time, or not at all.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Serves a client until it goes away, or its requests stop coming.
pub(super) async fn serve(stream: TcpStream, from: From, door: Arc<Door>) {
    let peer = from.peer;
    let _counted = door.meters.connection();
    if let Err(error) = sockets::prepare(&stream, sockets::CLIENT) {
        return tracing::debug!(%error, %peer, "client connection ended at once");
    }
    if door.meters.connections() > door.config.max_connections as u64 {
        door.meters.turned_away();
        let _ = tokio::time::timeout(Duration::from_secs(1), turn_away(stream)).await;
        return;
    }
    let Some(tls) = &door.config.tls else { return talk(stream, from, door).await };
    match tls.accept(stream).await {
        Ok(stream) => talk(stream, from, door.clone()).await,
        Err(error) => tracing::debug!(%error, %peer, "no TLS"),
    }
}

async fn talk<S>(stream: S, from: From, door: Arc<Door>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = from.peer;
    let (stream, switch) = Checked::new(stream);
    // A token and a count of references of the connection's own: those of all threads change cores with each request.
    let (stop, idle) = (door.stop.child_token(), door.config.deadlines.idle);
    let client = Client::new(from);
    let alarm = client.alarm.clone();
    let shared = Arc::new((door, switch, client));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let shared = shared.clone();
        async move {
            let (door, switch, client) = &*shared;
            switch.complete(request.headers_mut());
            let response = forward::answer(door, client, request).await;
            switch.answered(response.status());
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(alarm)
        .header_read_timeout(idle)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = &mut connection => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, %peer, "client connection ended");
    }
}

/// Reads to the end of what the client sends: closing before that would take the answer along.
async fn turn_away(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}
