//! A response body that gives its connection back when it ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::SendRequest;

use super::backend::{Backend, InFlight};

/// A replica's response body. The request counts as in flight until the body ends; then its connection is idle again.
pub(super) struct Tracked {
    body: Incoming,
    lease: Option<(SendRequest<Incoming>, Arc<Backend>, InFlight)>,
}

impl Tracked {
    pub(super) fn new(
        body: Incoming,
        sender: SendRequest<Incoming>,
        backend: Arc<Backend>,
        count: InFlight,
    ) -> Tracked {
        let mut tracked = Tracked { body, lease: Some((sender, backend, count)) };
        if tracked.body.is_end_stream() {
            tracked.release();
        }
        tracked
    }

    fn release(&mut self) {
        if let Some((sender, backend, count)) = self.lease.take() {
            drop(count);
            backend.keep(sender);
        }
    }
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        match &frame {
            Poll::Ready(None) => self.release(),
            Poll::Ready(Some(Ok(_))) if self.body.is_end_stream() => self.release(),
            Poll::Ready(Some(Err(_))) => drop(self.lease.take()),
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
