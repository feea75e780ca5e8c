//! A request's body on its way to a replica.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use parking_lot::Mutex;
use tokio::time::Sleep;

use super::deadlines::Pace;

/// Bodies up to this size are read whole before a replica is chosen: a slow client holds none, and the request can be sent
/// again.
const WHOLE: u64 = 64 * 1024;

/// A request's body.
pub(super) enum Upload {
    /// All of it; empty when there is none.
    Whole(Bytes),
    /// What comes from the client.
    Streamed(Box<Streamed>),
}

/// A body that goes to the replica as it comes.
pub(super) struct Streamed {
    paced: Paced,
    progress: Arc<Progress>,
}

/// How far a streamed body has come.
#[derive(Default)]
pub(super) struct Progress(Mutex<Stage>);

#[derive(Clone, Copy, Default)]
enum Stage {
    #[default]
    Open,
    Over(Instant),
    Failed(Fault),
}

/// Why the client's body is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It came too slowly.
    #[error("the request's body came too slowly")]
    Slow,
    /// It was malformed, or the client went away.
    #[error("the request's body is malformed or was cut off")]
    Malformed,
}

/// Reads a body and measures how long it is waited for.
struct Paced {
    body: Incoming,
    pace: Pace,
    received: u64,
    waited: Duration,
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Upload {
    /// No body.
    pub(super) fn none() -> Upload {
        Upload::Whole(Bytes::new())
    }

    /// A client's body: whole where it is small.
    pub(super) async fn take(body: Incoming, pace: Pace) -> Result<(Upload, Option<Arc<Progress>>), Fault> {
        let small = body.size_hint().exact().is_some_and(|length| length <= WHOLE);
        let mut paced = Paced { body, pace, received: 0, waited: Duration::ZERO, since: None, timer: None };
        if !small {
            let progress = Arc::new(Progress::default());
            let streamed = Streamed { paced, progress: progress.clone() };
            return Ok((Upload::Streamed(Box::new(streamed)), Some(progress)));
        }
        let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
        while let Some(frame) = std::future::poll_fn(|cx| paced.poll(cx)).await {
            let Ok(data) = frame?.into_data() else { continue };
            if first.is_empty() {
                first = data;
            } else {
                if rest.is_empty() {
                    rest.extend_from_slice(&first);
                }
                rest.extend_from_slice(&data);
            }
        }
        Ok((Upload::Whole(if rest.is_empty() { first } else { rest.freeze() }), None))
    }

    /// The same once more, when it is whole.
    pub(super) fn again(&self) -> Option<Upload> {
        match self {
            Upload::Whole(bytes) => Some(Upload::Whole(bytes.clone())),
            Upload::Streamed(_) => None,
        }
    }
}

impl Progress {
    /// Why the body failed, if it has.
    pub(super) fn fault(&self) -> Option<Fault> {
        let stage = *self.0.lock();
        match stage {
            Stage::Failed(fault) => Some(fault),
            _ => None,
        }
    }

    /// Since when it is with the replica; `None` while it is on its way.
    pub(super) fn over(&self) -> Option<Instant> {
        let stage = *self.0.lock();
        match stage {
            Stage::Over(since) => Some(since),
            _ => None,
        }
    }

    fn set(&self, stage: Stage) {
        *self.0.lock() = stage;
    }
}

impl Paced {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "a request's body ended early");
                Poll::Ready(Some(Err(Fault::Malformed)))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let left = self.pace.budget(self.received).saturating_sub(self.waited);
                if left.is_zero() {
                    return Poll::Ready(Some(Err(Fault::Slow)));
                }
                let until = tokio::time::Instant::now() + left;
                let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
                timer.as_mut().reset(until);
                if timer.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Some(Err(Fault::Slow)));
                }
                self.since = Some(Instant::now());
                Poll::Pending
            }
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let streamed = match self.get_mut() {
            Upload::Whole(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Upload::Whole(bytes) => return Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Upload::Streamed(streamed) => streamed,
        };
        let polled = streamed.paced.poll(cx);
        match &polled {
            Poll::Ready(Some(Err(fault))) => streamed.progress.set(Stage::Failed(*fault)),
            Poll::Ready(None) => streamed.progress.set(Stage::Over(Instant::now())),
            Poll::Ready(Some(Ok(_))) if streamed.paced.body.is_end_stream() => {
                streamed.progress.set(Stage::Over(Instant::now()));
            }
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Upload::Whole(bytes) => bytes.is_empty(),
            Upload::Streamed(streamed) => streamed.paced.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Upload::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Upload::Streamed(streamed) => streamed.paced.body.size_hint(),
        }
    }
}
