//! A response body that gives its connection back when it ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::backend::InFlight;
use super::sender::Sender;

/// A replica's response body. The request counts as in flight until the body ends; then its connection is idle again. It
/// ends with an error when the replica is gone, or sends nothing for the stall deadline.
pub(super) struct Tracked {
    body: Incoming,
    lease: Option<Lease>,
    stall: Duration,
    /// Made when the body is waited for: most come with their head.
    watch: Option<Watch>,
    /// A slow client does not count against the replica: only time in which a piece is waited for does.
    waiting: bool,
}

/// What is given back when the body ends.
pub(super) struct Lease {
    pub(super) sender: Sender,
    pub(super) thread: usize,
    pub(super) count: InFlight,
}

struct Watch {
    timer: Pin<Box<Sleep>>,
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Tracked {
    pub(super) fn new(body: Incoming, lease: Lease, stall: Duration) -> Tracked {
        let mut tracked = Tracked { body, lease: Some(lease), stall, watch: None, waiting: false };
        if tracked.body.is_end_stream() {
            tracked.release();
        }
        tracked
    }

    fn release(&mut self) {
        if let Some(Lease { sender, thread, count }) = self.lease.take() {
            count.backend().keep(thread, sender);
        }
    }

    /// Why it is not waited for any more.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(lease) = &self.lease else { return Poll::Pending };
        let until = tokio::time::Instant::now() + self.stall;
        let watch = self.watch.get_or_insert_with(|| Watch {
            timer: Box::pin(tokio::time::sleep_until(until)),
            gone: Box::pin(lease.count.backend().gone().clone().cancelled_owned()),
        });
        if !std::mem::replace(&mut self.waiting, true) {
            watch.timer.as_mut().reset(until);
        }
        if watch.gone.as_mut().poll(cx).is_ready() {
            return Poll::Ready(io::Error::new(io::ErrorKind::ConnectionReset, "the replica is gone"));
        }
        if watch.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(io::Error::new(
                io::ErrorKind::TimedOut,
                "the replica stopped in the middle of an answer",
            ));
        }
        Poll::Pending
    }
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(None) => {
                this.release();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                if this.body.is_end_stream() {
                    this.release();
                }
                this.waiting = false;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                drop(this.lease.take());
                Poll::Ready(Some(Err(io::Error::other(error))))
            }
            Poll::Pending => {
                let Poll::Ready(error) = this.poll_end(cx) else { return Poll::Pending };
                tracing::debug!(%error, "an answer was cut off");
                drop(this.lease.take());
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
