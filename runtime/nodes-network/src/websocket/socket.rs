//! One WebSocket at work: reading, writing, its heartbeat, and how it ends.

use std::cell::Cell;
use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use crate::link::{Order, Orders, STALLED};
use flotilla_value::Value;

use super::message;

/// The largest message that is taken; the default of npm's ws.
const MAX_MESSAGE: usize = 100 << 20;

/// How long a peer may take to answer a closing handshake.
const GOODBYE: Duration = Duration::from_secs(1);

/// Limits of sockets, accepted and made.
pub(crate) fn limits() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE))
}

/// What the peer's silence means.
struct Pulse {
    /// A ping was sent and nothing came back yet.
    asked: Cell<bool>,
    /// A message is being handled: what the peer sends meanwhile is not read, so its silence means nothing.
    busy: Cell<bool>,
}

/// Runs a socket until either side closes it, it breaks, or it is destroyed. While `on` handles a message nothing is read.
///
/// # Errors
/// What broke the connection; `timeout` when the peer did not answer the heartbeat.
pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    socket: WebSocketStream<S>,
    mut orders: Orders<Message>,
    heartbeat: Option<Duration>,
    mut on: impl AsyncFnMut(Value),
) -> Result<(), String> {
    let (sink, stream) = socket.split();
    let pulse = Pulse { asked: Cell::new(false), busy: Cell::new(false) };
    let destroyed = orders.destroyed.clone();
    let reading = read(stream, &pulse, &mut on);
    let writing = async {
        write(sink, &mut orders, heartbeat, &pulse).await?;
        // The peer answers the closing handshake, and `reading` ends; or it does not.
        tokio::time::sleep(GOODBYE).await;
        Ok(())
    };
    tokio::select! {
        biased;
        () = destroyed.cancelled() => Ok(()),
        read = reading => read,
        written = writing => written,
    }
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: SplitStream<WebSocketStream<S>>,
    pulse: &Pulse,
    on: &mut impl AsyncFnMut(Value),
) -> Result<(), String> {
    while let Some(frame) = stream.next().await {
        match frame {
            Ok(frame) => {
                pulse.asked.set(false);
                if let Some(data) = message::data(frame) {
                    pulse.busy.set(true);
                    on(data).await;
                    pulse.busy.set(false);
                }
            }
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    orders: &mut Orders<Message>,
    heartbeat: Option<Duration>,
    pulse: &Pulse,
) -> Result<(), String> {
    let mut beat = heartbeat.map(|every| tokio::time::interval_at(tokio::time::Instant::now() + every, every));
    loop {
        let next_beat = async {
            match &mut beat {
                Some(beat) => drop(beat.tick().await),
                None => std::future::pending().await,
            }
        };
        let order = tokio::select! {
            biased;
            order = orders.queue.recv() => order,
            () = next_beat => {
                if pulse.asked.get() && !pulse.busy.get() {
                    return Err("timeout".to_owned());
                }
                pulse.asked.set(true);
                send(&mut sink, Message::Ping(Bytes::new())).await?;
                continue;
            }
        };
        match order {
            Some(Order::Write(write)) => {
                send(&mut sink, write.item.clone()).await?;
                drop(write);
            }
            Some(Order::End | Order::Close) => {
                let frame = CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::default() };
                // The peer may have closed meanwhile.
                let _ = send(&mut sink, Message::Close(Some(frame))).await;
                return Ok(());
            }
            // Nobody can write any more; the peer may go on.
            None => std::future::pending::<()>().await,
        }
    }
}

/// Sends a frame. The peer may take [`STALLED`] for each MiB of it.
async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    frame: Message,
) -> Result<(), String> {
    let limit = STALLED * u32::try_from(1 + (frame.len() >> 20)).unwrap_or(u32::MAX);
    match tokio::time::timeout(limit, sink.send(frame)).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => {
            let why = format!("the peer does not read: it has not taken a message within {} s", limit.as_secs());
            tracing::warn!("a WebSocket is closed: {why}");
            Err(why)
        }
    }
}

#[cfg(test)]
mod tests {
    use flotilla_engine::message::Msg;
    use tokio::time::Instant;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;
    use crate::link::Link;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_given_up() {
        let (near, _far) = tokio::io::duplex(64);
        let socket = WebSocketStream::from_raw_socket(near, Role::Server, None).await;
        let (link, orders) = Link::new();
        link.write(Message::binary(vec![0; 1024]), 1024, &Msg::default()).unwrap();
        let begun = Instant::now();
        let error = run(socket, orders, None, async |_| {}).await.unwrap_err();
        assert!(error.starts_with("the peer does not read"), "{error}");
        assert!(begun.elapsed() >= STALLED && begun.elapsed() < STALLED * 2);
    }
}
