//! A connection's stream, which two threads use: the worker's, and the watchdog's while that is busy.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use flotilla_codec::client as codec;
use flotilla_engine::{Beat, Health, Pulse, Worker};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::transport::Stream;

/// A worker that beats more often than this sends its own PINGREQ.
const BUSY: Duration = Duration::from_secs(1);
/// PINGREQ (MQTT section 3.12).
const PINGREQ: [u8; 2] = [0xc0, 0];

/// A connection that is kept alive by the watchdog while the worker is busy with a script that may take so long, and that
/// can be shut whatever the worker does.
pub(super) struct Line {
    inner: Mutex<Inner>,
    /// The same connection, to be shut from outside.
    descriptor: Option<TcpStream>,
    keep_alive: Duration,
    beat: Option<Arc<Beat>>,
    health: Weak<Health>,
    wake: Arc<Notify>,
}

struct Inner {
    stream: Box<dyn Stream>,
    /// The last packet was written to its end: another may begin.
    whole: bool,
    /// The second byte of a PINGREQ whose first was written.
    owed: bool,
    sent: Instant,
    /// PINGREQs that went out, or are about to.
    asked: u64,
}

/// The worker's end of a line.
pub(super) struct Wire(Arc<Line>);

impl Wire {
    /// A connection after its CONNACK. `wake` wakes its task.
    pub(super) fn new(
        stream: Box<dyn Stream>,
        descriptor: Option<TcpStream>,
        keep_alive: Duration,
        health: Option<&Arc<Health>>,
        wake: &Arc<Notify>,
    ) -> Wire {
        let inner = Inner { stream, whole: true, owed: false, sent: Instant::now(), asked: 0 };
        let line = Arc::new(Line {
            inner: Mutex::new(inner),
            descriptor,
            keep_alive,
            beat: Worker::current().map(|worker| worker.beat().clone()),
            health: health.map(Arc::downgrade).unwrap_or_default(),
            wake: wake.clone(),
        });
        if let Some(health) = health {
            let pulse: Weak<dyn Pulse> = Arc::downgrade(&line) as _;
            health.look_after(pulse);
        }
        Wire(line)
    }

    /// Encodes a PINGREQ. Answers how many went out with it, the watchdog's included: as many PINGRESPs come before its own
    /// and with it.
    pub(super) fn ask(&self, out: &mut BytesMut) -> u64 {
        let mut inner = self.0.inner.lock();
        // Until it is written the watchdog must not get in front of it.
        (inner.whole, inner.asked) = (false, inner.asked + 1);
        codec::pingreq(out);
        inner.asked
    }

    /// True when the peer has ended the connection, also behind bytes that were not read. It costs a system call: for who does
    /// not read, and would not hear of it.
    pub(super) fn is_over(&self) -> bool {
        let Some(descriptor) = &self.0.descriptor else { return false };
        let mut asked = [PollFd::new(descriptor, PollFlags::RDHUP)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let over = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
        poll(&mut asked, Some(&now)).is_ok_and(|found| found > 0) && asked[0].revents().intersects(over)
    }
}

impl Inner {
    /// Writes what is left of a PINGREQ of the watchdog's.
    fn pay(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.owed {
            match Pin::new(&mut self.stream).poll_write(cx, &PINGREQ[1..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(_)) => self.owed = false,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Pulse for Line {
    fn pulse(&self) {
        let (Some(health), Some(beat)) = (self.health.upgrade(), &self.beat) else { return };
        let silent = beat.silent();
        if self.keep_alive.is_zero() || silent < BUSY || silent > health.bound() {
            return;
        }
        let Some(mut inner) = self.inner.try_lock() else { return };
        if !inner.whole || inner.owed || inner.sent.elapsed() < self.keep_alive / 2 {
            return;
        }
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut inner.stream).poll_write(&mut cx, &PINGREQ) {
            Poll::Ready(Ok(written)) if written > 0 => {
                inner.owed = written < PINGREQ.len();
                (inner.sent, inner.asked) = (Instant::now(), inner.asked + 1);
            }
            _ => {}
        }
        let _ = Pin::new(&mut inner.stream).poll_flush(&mut cx);
        // The task's waker was replaced: it is to look itself, when it can.
        self.wake.notify_one();
    }

    fn shut(&self) {
        if let Some(descriptor) = &self.descriptor {
            let _ = descriptor.shutdown(Shutdown::Both);
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.inner.lock().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    /// `buf` begins at, or inside of, a packet and holds all that there is to write.
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut inner = self.0.inner.lock();
        if inner.owed {
            match inner.pay(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        let wrote = Pin::new(&mut inner.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = wrote {
            (inner.whole, inner.sent) = (written == buf.len(), Instant::now());
        }
        wrote
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.inner.lock().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.inner.lock().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::os::fd::AsFd as _;

    use super::*;

    #[tokio::test]
    async fn the_end_of_a_connection_is_seen_behind_what_was_not_read() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let descriptor = stream.as_fd().try_clone_to_owned().ok().map(TcpStream::from);
        let wire = Wire::new(Box::new(stream), descriptor, Duration::ZERO, None, &Arc::default());
        peer.write_all(&[0; 4096]).unwrap();
        assert!(!wire.is_over());
        drop(peer);
        let seen = async {
            while !wire.is_over() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), seen).await.expect("its end is seen");
    }
}
