//! MQTT over WebSocket as a stream of bytes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use flotilla_sockets::PIECE;
use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        Error, Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

use super::origin;

/// Bytes of a frame beyond one packet of the largest size: several packets may come in one, and each is measured by
/// itself.
const FRAME_ROOM: usize = 1 << 20;

/// A WebSocket as a stream of bytes: MQTT packets may cross frames [MQTT-6.0.0-2].
pub struct WebSocket<S> {
    inner: WebSocketStream<S>,
    frame: Bytes,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Answers the HTTP upgrade; the client must offer the subprotocol `mqtt` [MQTT-6.0.0-3], and a web page must be from
    /// one of `origins` or this machine.
    pub async fn accept(stream: S, max_packet: usize, origins: &[String]) -> Result<Self, Error> {
        let most = max_packet.saturating_add(FRAME_ROOM);
        // Nothing is kept back to be written later: that would hide how much a slow client takes.
        let config =
            WebSocketConfig::default().write_buffer_size(0).max_message_size(Some(most)).max_frame_size(Some(most));
        #[allow(clippy::result_large_err, reason = "the signature is tungstenite's")]
        let choose = |request: &Request, response: Response| match origin::refusal(request.headers(), origins) {
            Some(why) => Err(refuse(StatusCode::FORBIDDEN, why)),
            None => choose(request, response),
        };
        let inner = accept_hdr_async_with_config(stream, choose, Some(config)).await?;
        Ok(Self { inner, frame: Bytes::new() })
    }
}

#[allow(clippy::result_large_err, reason = "the signature is tungstenite's")]
fn choose(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    let mut names = offered.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if names.any(|name| name.trim() == "mqtt") {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("mqtt"));
        return Ok(response);
    }
    Err(refuse(StatusCode::BAD_REQUEST, "the subprotocol must be mqtt".to_owned()))
}

fn refuse(status: StatusCode, why: String) -> ErrorResponse {
    let mut refusal = ErrorResponse::new(Some(why));
    *refusal.status_mut() = status;
    refusal
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.frame.has_remaining() {
                let count = self.frame.len().min(buf.remaining());
                buf.put_slice(&self.frame[..count]);
                self.frame.advance(count);
                return Poll::Ready(Ok(()));
            }
            match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                Some(Ok(Message::Binary(frame))) => self.frame = frame,
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                // [MQTT-6.0.0-1]: anything but binary ends the connection.
                Some(Ok(Message::Text(_))) => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.inner).poll_ready(cx)).map_err(io::Error::other)?;
        // Frame by frame is seen what a slow client takes of much; packets may cross frames.
        let bytes = &bytes[..bytes.len().min(PIECE)];
        let frame = Message::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.inner).start_send(frame).map_err(io::Error::other)?;
        // What the socket does not take now it takes before the next frame.
        if let Poll::Ready(flushed) = Pin::new(&mut self.inner).poll_flush(cx) {
            flushed.map_err(io::Error::other)?;
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(io::Error::other)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    #[tokio::test]
    async fn of_much_each_piece_is_a_write_and_all_of_it_arrives() {
        let (near, far) = duplex(1 << 20);
        let end = async |stream: DuplexStream, role: Role| WebSocket {
            inner: WebSocketStream::from_raw_socket(stream, role, None).await,
            frame: Bytes::new(),
        };
        let (mut server, mut client) = (end(near, Role::Server).await, end(far, Role::Client).await);
        let much: Vec<u8> = (0..=PIECE * 3).map(|at| at as u8).collect();
        assert_eq!(server.write(&much).await.unwrap(), PIECE);
        server.write_all(&much[PIECE..]).await.unwrap();
        server.flush().await.unwrap();
        let mut read = vec![0; much.len()];
        client.read_exact(&mut read).await.unwrap();
        assert!(read == much);
    }
}
