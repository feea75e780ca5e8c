//! MQTT over WebSocket (MQTT 5, section 6): binary frames as a byte stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use flotilla_sockets::PIECE;
use futures::{Sink, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::transport::Stream;

/// A WebSocket as a byte stream.
pub(super) struct WebSocket {
    inner: WebSocketStream<Box<dyn Stream>>,
    read: Bytes,
}

/// The handshake, with the subprotocol `mqtt` [MQTT-6.0.0-3].
pub(super) async fn connect(url: &str, stream: Box<dyn Stream>) -> io::Result<WebSocket> {
    let mut request = url.into_client_request().map_err(io::Error::other)?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("mqtt"));
    // Nothing is kept back to be written later: that would hide how much a slow broker takes.
    let config = WebSocketConfig::default().write_buffer_size(0);
    let (inner, _) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await.map_err(io::Error::other)?;
    Ok(WebSocket { inner, read: Bytes::new() })
}

fn to_io(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

impl AsyncRead for WebSocket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.read.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                None | Some(Ok(Message::Close(_))) => return Poll::Ready(Ok(())),
                Some(Ok(Message::Binary(bytes))) => self.read = bytes,
                Some(Ok(Message::Text(text))) => self.read = Bytes::from(text),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(to_io(error))),
            }
        }
        let n = self.read.len().min(buf.remaining());
        buf.put_slice(&self.read[..n]);
        self.read.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WebSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.inner).poll_ready(cx)).map_err(to_io)?;
        // Frame by frame is seen what a slow broker takes of much; packets may cross frames [MQTT-6.0.0-2].
        let buf = &buf[..buf.len().min(PIECE)];
        Pin::new(&mut self.inner).start_send(Message::Binary(Bytes::copy_from_slice(buf))).map_err(to_io)?;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(to_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(to_io)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    #[tokio::test]
    async fn of_much_each_piece_is_a_write_and_all_of_it_arrives() {
        let (near, far) = duplex(1 << 20);
        let end = async |stream: Box<dyn Stream>, role: Role| WebSocket {
            inner: WebSocketStream::from_raw_socket(stream, role, None).await,
            read: Bytes::new(),
        };
        let (mut client, mut broker) =
            (end(Box::new(near), Role::Client).await, end(Box::new(far), Role::Server).await);
        let much: Vec<u8> = (0..=PIECE * 3).map(|at| at as u8).collect();
        assert_eq!(client.write(&much).await.unwrap(), PIECE);
        client.write_all(&much[PIECE..]).await.unwrap();
        client.flush().await.unwrap();
        let mut read = vec![0; much.len()];
        broker.read_exact(&mut read).await.unwrap();
        assert!(read == much);
    }
}
