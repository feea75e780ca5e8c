//! A client that does not read, and one whose answers wait for the disk: what they are owed is bounded.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use flotilla_codec::{Connect, Version, client};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::{Shared, connection};
use crate::{
    Config,
    persist::{Clock, Journal, Queue},
};

/// More than answers for 2 KiB need that wait, however much is read at once.
const MUCH: usize = 512 << 10;

/// A line that brings a CONNECT, and then something else.
struct Line {
    connect: Option<BytesMut>,
    then: Then,
    /// It takes what is written.
    reads: bool,
}

/// What comes behind the CONNECT.
enum Then {
    /// The same packet without end, which is counted in bytes.
    Talks(&'static [u8], Arc<AtomicUsize>),
    /// When the time is over one packet, and then nothing.
    Waits(Pin<Box<Sleep>>, Vec<u8>),
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(connect) = self.connect.take() {
            out.put_slice(&connect);
            return Poll::Ready(Ok(()));
        }
        match &mut self.then {
            Then::Talks(packet, sent) => {
                let packets = packet.repeat(out.remaining() / packet.len());
                assert!(sent.fetch_add(packets.len(), Ordering::Relaxed) < MUCH, "it is read without a bound");
                out.put_slice(&packets);
            }
            Then::Waits(_, packet) if packet.is_empty() => return Poll::Pending,
            Then::Waits(until, packet) => {
                if !until.is_elapsed() {
                    std::task::ready!(until.as_mut().poll(cx));
                }
                let behind = packet.split_off(packet.len().min(out.remaining()));
                out.put_slice(&std::mem::replace(packet, behind));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
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
    Shared::of(Config { out_buffer: 1 << 10, ..Config::default() })
}

/// Without a keep alive nothing but the bound ends the connection.
fn line(id: &str, then: Then, reads: bool) -> Line {
    let mut connect = BytesMut::new();
    client::connect(&mut connect, &Connect { keep_alive: 0, ..Connect::new(Version::V5, id) });
    Line { connect: Some(connect), then, reads }
}

fn talker(packet: &'static [u8], reads: bool) -> (Line, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    (line("talker", Then::Talks(packet, Arc::clone(&sent)), reads), sent)
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

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_had_nothing_to_send_for_long_has_all_the_time_once_much_waits_for_it() {
    const SILENT: Duration = Duration::from_secs(300);
    let shared = shared();
    let subscribe = vec![0x82, 7, 0, 1, 0, 0, 1, b't', 0];
    // PUBLISH at QoS 0, of 4 KiB.
    let publish = [&[0x30, 0x84, 0x20, 0, 1, b't', 0][..], &[b'x'; 4096]].concat();
    let run = |id: &str, after: Duration, packet: Vec<u8>| {
        let then = Then::Waits(Box::pin(sleep(after)), packet);
        connection::run(line(id, then, false), ([127, 0, 0, 1], 1).into(), shared.clone())
    };
    let begun = Instant::now();
    tokio::select! {
        () = run("subscriber", Duration::ZERO, subscribe) => {}
        () = run("publisher", SILENT, publish) => panic!("nothing waits for the publisher"),
    }
    let after = begun.elapsed();
    // It may be seen a minute late that much waits.
    assert!(after >= SILENT + connection::STALLED && after < SILENT + connection::STALLED * 3, "{after:?}");
}
