//! A client that sends and does not read, and one whose answers wait for the disk: what they are owed is bounded.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use flotilla_codec::{Connect, Version, client};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Shared, connection};
use crate::{
    Config,
    auth::Auth,
    persist::{Clock, Journal, Queue},
    router::Router,
};

/// More than answers for 2 KiB need that wait, however much is read at once.
const MUCH: usize = 512 << 10;

/// A line that brings a CONNECT, and then the same packet without end.
struct Talker {
    connect: Option<BytesMut>,
    packet: &'static [u8],
    /// It takes what is written.
    reads: bool,
    sent: Arc<AtomicUsize>,
}

impl AsyncRead for Talker {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(connect) = self.connect.take() {
            out.put_slice(&connect);
            return Poll::Ready(Ok(()));
        }
        let packets = self.packet.repeat(out.remaining() / self.packet.len());
        assert!(self.sent.fetch_add(packets.len(), Ordering::Relaxed) < MUCH, "it is read without a bound");
        out.put_slice(&packets);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Talker {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.reads { Poll::Ready(Ok(bytes.len())) } else { Poll::Pending }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn shared() -> Shared {
    let config = Arc::new(Config { out_buffer: 1 << 10, ..Config::default() });
    Shared {
        router: Arc::new(Mutex::new(Router::new(Arc::clone(&config)))),
        auth: Arc::new(Auth::read(&config).expect("no users")),
        config,
        slots: Arc::default(),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
    }
}

/// Without a keep alive nothing but the bound ends the connection.
fn talker(packet: &'static [u8], reads: bool) -> (Talker, Arc<AtomicUsize>) {
    let mut connect = BytesMut::new();
    client::connect(&mut connect, &Connect { keep_alive: 0, ..Connect::new(Version::V5, "talker") });
    let sent = Arc::new(AtomicUsize::new(0));
    (Talker { connect: Some(connect), packet, reads, sent: Arc::clone(&sent) }, sent)
}

#[tokio::test(start_paused = true)]
async fn who_takes_none_of_its_answers_is_given_up_and_counted_once() {
    // PINGREQ; PUBREL; SUBSCRIBE; PUBLISH at QoS 1.
    let packets: [&[u8]; 4] =
        [&[0xC0, 0], &[0x62, 2, 0, 7], &[0x82, 7, 0, 1, 0, 0, 1, b't', 0], &[0x32, 6, 0, 1, b't', 0, 1, 0]];
    for packet in packets {
        let (shared, (talker, _)) = (shared(), talker(packet, false));
        let begun = Instant::now();
        connection::run(talker, ([127, 0, 0, 1], 1).into(), shared.clone()).await;
        let after = begun.elapsed();
        assert!(after >= connection::STALLED && after < connection::STALLED * 2, "{packet:?}: {after:?}");
        let mut router = shared.router.lock();
        assert_eq!((router.stats().closed_stalled, router.status().connections), (1, 0), "{packet:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_wait_for_the_disk_are_bounded_and_end_no_connection() {
    let packets: [&[u8]; 2] = [&[0x62, 2, 0, 7], &[0x82, 7, 0, 1, 0, 0, 1, b't', 0]];
    for packet in packets {
        let (shared, (talker, sent)) = (shared(), talker(packet, true));
        let queue = Arc::<Queue>::default();
        shared.router.lock().persist(Journal::new(Arc::clone(&queue), Clock::now(), 0, 0));
        let mut run = pin!(connection::run(talker, ([127, 0, 0, 1], 1).into(), shared.clone()));
        let mut before = 0;
        for _ in 0..3 {
            assert!(timeout(Duration::from_secs(7200), &mut run).await.is_err(), "{packet:?}: it is not its fault");
            let now = sent.load(Ordering::Relaxed);
            assert!(now > before, "{packet:?}: reading goes on");
            before = now;
            let written = queue.take().expect("answers that wait");
            shared.router.lock().committed(written.replies);
        }
        assert_eq!(shared.router.lock().stats().closed_stalled, 0);
    }
}

/// A line that brings a CONNECT, after some time one more packet, and then nothing.
struct Quiet {
    connect: Option<BytesMut>,
    wait: Pin<Box<tokio::time::Sleep>>,
    packet: Vec<u8>,
}

impl Quiet {
    fn new(id: &str, after: Duration, packet: Vec<u8>) -> Quiet {
        let mut connect = BytesMut::new();
        client::connect(&mut connect, &Connect { keep_alive: 0, ..Connect::new(Version::V5, id) });
        Quiet { connect: Some(connect), wait: Box::pin(tokio::time::sleep(after)), packet }
    }
}

impl AsyncRead for Quiet {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(connect) = self.connect.take() {
            out.put_slice(&connect);
            return Poll::Ready(Ok(()));
        }
        if self.packet.is_empty() {
            return Poll::Pending;
        }
        std::task::ready!(self.wait.as_mut().poll(cx));
        let piece = self.packet.len().min(out.remaining());
        out.put_slice(&self.packet.drain(..piece).collect::<Vec<u8>>());
        // A sleep that has ended is not asked again.
        self.wait = Box::pin(tokio::time::sleep(Duration::ZERO));
        Poll::Ready(Ok(()))
    }
}

/// It takes nothing.
impl AsyncWrite for Quiet {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_had_nothing_to_send_for_long_has_all_the_time_once_much_waits_for_it() {
    const SILENT: Duration = Duration::from_secs(300);
    let shared = shared();
    let subscribe = vec![0x82, 7, 0, 1, 0, 0, 1, b't', 0];
    // PUBLISH at QoS 0, of 4 KiB.
    let publish = [&[0x30, 0x84, 0x20, 0, 1, b't', 0][..], &[b'x'; 4096]].concat();
    let line = |id: &str, after: Duration, packet: Vec<u8>| {
        connection::run(Quiet::new(id, after, packet), ([127, 0, 0, 1], 1).into(), shared.clone())
    };
    let begun = Instant::now();
    tokio::select! {
        () = line("subscriber", Duration::ZERO, subscribe) => {}
        () = line("publisher", SILENT, publish) => panic!("nothing waits for the publisher"),
    }
    let after = begun.elapsed();
    // It may be seen a minute late that much waits.
    assert!(after >= SILENT + connection::STALLED && after < SILENT + connection::STALLED * 3, "{after:?}");
}
