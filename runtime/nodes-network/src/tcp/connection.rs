//! One connection at work: reading, writing, and how it ends.

use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::time::Duration;

use bytes::Bytes;
use flotilla_sockets::Patient;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::dial::Stream;

use crate::link::{Order, Orders, Write};

/// What Node.js reads at a time.
const CHUNK: usize = 64 * 1024;

/// What happens on a connection.
pub(super) enum Event {
    /// Bytes came.
    Data(Bytes),
    /// The peer sends nothing more.
    End,
    /// Nothing was read or written for the idle time.
    Idle,
    /// The connection broke.
    Failed(Error),
}

/// Runs a connection until both sides have ended it, it breaks, or it is destroyed. While `on` handles an event nothing is
/// read, so a node that is busy makes its peer wait; writing goes on. A peer that takes nothing for 60 s of what waits for it is given
/// up: what waits keeps the deliveries of its messages open.
///
/// As Node.js without `allowHalfOpen`: when the peer ends, what waits is still sent and then this side ends too.
pub(super) async fn run(
    stream: Box<dyn Stream>,
    mut orders: Orders<Bytes>,
    idle: Option<Duration>,
    mut on: impl AsyncFnMut(Event),
) {
    let (reader, writer) = tokio::io::split(Patient::new(stream));
    let touched = Cell::new(Instant::now());
    let (peer_ended, destroyed) = (CancellationToken::new(), orders.destroyed.clone());
    let ended = {
        let writing = write(writer, &mut orders, &peer_ended, &touched);
        let reading = async {
            let read = read(reader, idle, &touched, &mut on).await;
            peer_ended.cancel();
            read
        };
        tokio::select! {
            biased;
            () = destroyed.cancelled() => Ok(()),
            ended = both(reading, writing) => ended,
        }
    };
    if let Err(error) = ended {
        on(Event::Failed(error)).await;
    }
}

/// Waits for both sides, for an error of either, or until the writer closes.
async fn both(
    reading: impl Future<Output = Result<(), Error>>,
    writing: impl Future<Output = Result<Written, Error>>,
) -> Result<(), Error> {
    let (mut reading, mut writing) = (std::pin::pin!(reading), std::pin::pin!(writing));
    tokio::select! {
        biased;
        written = &mut writing => match written? {
            Written::Closed => Ok(()),
            Written::Ended => reading.await,
        },
        read = &mut reading => {
            read?;
            writing.await.map(drop)
        }
    }
}

/// How the writing side ended.
enum Written {
    /// The peer may still send.
    Ended,
    /// Nobody wants more.
    Closed,
}

/// Small writes that wait already go out together.
fn batch(orders: &mut Orders<Bytes>, first: Write<Bytes>) -> (Vec<Write<Bytes>>, Option<Written>) {
    let mut size = first.item.len();
    let mut batch = vec![first];
    while size < CHUNK {
        match orders.queue.try_recv() {
            Ok(Order::Write(write)) => {
                size += write.item.len();
                batch.push(write);
            }
            Ok(Order::End) => return (batch, Some(Written::Ended)),
            Ok(Order::Close) => return (batch, Some(Written::Closed)),
            Err(_) => break,
        }
    }
    (batch, None)
}

async fn write(
    mut writer: WriteHalf<Patient<Box<dyn Stream>>>,
    orders: &mut Orders<Bytes>,
    peer_ended: &CancellationToken,
    touched: &Cell<Instant>,
) -> Result<Written, Error> {
    let how = loop {
        let order = tokio::select! {
            biased;
            order = orders.queue.recv() => order,
            () = peer_ended.cancelled() => break Written::Ended,
        };
        match order {
            Some(Order::Write(first)) => {
                let (batch, then) = batch(orders, first);
                let joined = match batch.as_slice() {
                    [one] => one.item.clone(),
                    several => several.iter().flat_map(|write| write.item.iter().copied()).collect(),
                };
                writer.write_all(&joined).await?;
                writer.flush().await?;
                touched.set(Instant::now());
                drop(batch);
                if let Some(how) = then {
                    break how;
                }
            }
            Some(Order::End) => break Written::Ended,
            Some(Order::Close) => break Written::Closed,
            // Nobody can write any more, but the peer may go on.
            None => {
                peer_ended.cancelled().await;
                break Written::Ended;
            }
        }
    };
    // The peer may be gone already: nothing is lost then.
    let _ = writer.shutdown().await;
    Ok(how)
}

async fn read(
    mut reader: ReadHalf<Patient<Box<dyn Stream>>>,
    idle: Option<Duration>,
    touched: &Cell<Instant>,
    on: &mut impl AsyncFnMut(Event),
) -> Result<(), Error> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let silence = async {
            match idle {
                Some(idle) => tokio::time::sleep_until(touched.get() + idle).await,
                None => std::future::pending().await,
            }
        };
        let read = tokio::select! {
            read = reader.read(&mut buffer) => read,
            () = silence => {
                if idle.is_some_and(|idle| touched.get().elapsed() >= idle) {
                    touched.set(Instant::now());
                    on(Event::Idle).await;
                }
                continue;
            }
        };
        let count = match read {
            // TLS without its farewell: Node.js takes it for an end too.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => 0,
            other => other?,
        };
        touched.set(Instant::now());
        if count == 0 {
            on(Event::End).await;
            return Ok(());
        }
        on(Event::Data(Bytes::copy_from_slice(&buffer[..count]))).await;
    }
}

#[cfg(test)]
mod tests {
    use flotilla_engine::message::Msg;
    use flotilla_sockets::STALLED;

    use super::*;
    use crate::link::Link;

    /// Sends 1 KiB through a line that takes 64 bytes; how it failed, and when. The peer reads 64 bytes each time, if at all.
    async fn send(reads_every: Option<Duration>) -> (Option<ErrorKind>, Duration) {
        let (near, mut far) = tokio::io::duplex(64);
        let (link, orders) = Link::new();
        link.write(Bytes::from(vec![0; 1024]), 1024, &Msg::default()).unwrap();
        let (begun, mut failed) = (Instant::now(), None);
        let running = run(Box::new(near), orders, None, async |event| {
            if let Event::Failed(error) = event {
                failed = Some(error.kind());
            }
        });
        let reading = async {
            let (mut left, mut buffer) = (1024, [0; 64]);
            while let Some(every) = reads_every.filter(|_| left > 0) {
                tokio::time::sleep(every).await;
                left -= far.read(&mut buffer).await.unwrap();
            }
            if reads_every.is_none() {
                std::future::pending::<()>().await;
            }
            drop(far);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = running => {}
            () = reading => {}
        }
        (failed, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_given_up_and_a_slow_one_is_not() {
        let (failed, after) = send(None).await;
        assert_eq!(failed, Some(ErrorKind::TimedOut));
        assert!(after >= STALLED && after < STALLED * 2, "{after:?}");
        let (failed, after) = send(Some(STALLED / 2)).await;
        assert_eq!(failed, None);
        assert!(after >= STALLED * 8, "{after:?}");
    }
}
