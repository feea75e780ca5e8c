//! One WebSocket at work: reading, writing, its heartbeat, and how it ends.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use crate::link::{Order, Orders};
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
/// Its stream gives up a peer that takes nothing ([`Patient`](flotilla_sockets::Patient)): those of the HTTP server do, and
/// the client's does.
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
            Err(error) => return Err(broken(error)),
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

async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    frame: Message,
) -> Result<(), String> {
    sink.send(frame).await.map_err(broken)
}

/// Why a socket is over, for people.
fn broken(error: Error) -> String {
    match error {
        Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            tracing::warn!("a WebSocket is closed: {error}");
            error.to_string()
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use flotilla_engine::message::Msg;
    use flotilla_sockets::{Patient, STALLED};
    use tokio::io::AsyncReadExt;
    use tokio::time::{Instant, sleep};
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;
    use crate::link::Link;

    /// Sends 2 KiB through a line that takes 64 bytes; how that ends, and when. The peer reads 64 bytes each time, if at all, and
    /// leaves when it has all.
    async fn send(reads_every: Option<Duration>) -> (Result<(), String>, Duration) {
        let (near, mut far) = tokio::io::duplex(64);
        let socket = WebSocketStream::from_raw_socket(Patient::new(near), Role::Server, None).await;
        let (link, orders) = Link::new();
        link.write(Message::binary(vec![0; 2048]), 2048, &Msg::default()).unwrap();
        link.close();
        let begun = Instant::now();
        let reading = async {
            let mut buffer = [0; 64];
            while let Some(every) = reads_every {
                sleep(every).await;
                if far.read(&mut buffer).await.unwrap() == 0 {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            ended = run(socket, orders, None, async |_| {}) => ended,
            () = reading => unreachable!("it never ends"),
        };
        (ended, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_given_up_and_a_slow_one_is_not() {
        let (ended, after) = send(None).await;
        let error = ended.unwrap_err();
        assert!(error.starts_with("the peer does not read"), "{error}");
        assert!(after >= STALLED && after < STALLED * 2, "{after:?}");
        let (ended, after) = send(Some(STALLED / 2)).await;
        assert_eq!(ended, Ok(()));
        // 2 KiB in pieces of 64 bytes.
        assert!(after >= STALLED * 15, "{after:?}");
    }
}
