//! An answer that is sent while the flow writes it: `res.write`.
//!
//! Source: Node.js's `http.ServerResponse`; <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use flotilla_sockets::PIECE;
use hyper::body::{Body, Frame};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Sleep;

use super::answer::Present;

/// Bytes from which on `write` asks the flow to wait for `drain`; as Node.js.
pub(super) const HIGH_WATER: usize = 16 << 10;
/// Bytes that may wait for a client that does not read; Node.js has no bound.
const MOST: usize = 64 << 20;
/// A silent stream of events sends a comment, which clients skip: proxies leave it open, and a client that is gone is noticed.
const COMMENT_AFTER: Duration = Duration::from_secs(15);
const COMMENT: &[u8] = b":\n\n";
/// A client that takes nothing for so long while the flow waits for it is given up.
const STALLED: Duration = Duration::from_secs(60);

/// Why something cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WriteError {
    /// `end` was called before.
    #[error("write after end")]
    Ended,
    /// The client is too slow.
    #[error(
        "the client does not read: {MOST} bytes wait for it already, so no more is written; wait for 'drain' when write() gives false"
    )]
    Full,
}

/// What waits to be sent.
#[derive(Default)]
pub(super) struct Stream {
    state: Mutex<State>,
    /// All that waited was taken, after `write` had asked to wait.
    drained: Notify,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Bytes>,
    waiting: usize,
    asked_to_wait: bool,
    /// How often all that waited was taken after that.
    drains: u64,
    /// Bytes that were taken.
    taken: u64,
    ended: bool,
    /// The flow failed, or nobody can write any more: the client hears that something is missing.
    cut: bool,
    /// The client took all of it, or is gone.
    gone: bool,
    sent: bool,
    reader: Option<Waker>,
}

impl State {
    /// What is sent next. How many pieces of a large chunk are gone tells whether a slow client takes some.
    fn next_piece(&mut self) -> Option<Bytes> {
        match self.chunks.front_mut() {
            Some(first) if first.len() > PIECE => Some(first.split_to(PIECE)),
            _ => self.chunks.pop_front(),
        }
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl Stream {
    /// Takes a piece. False when the flow should wait for `drain`, and when the client is gone: what is written then is lost, as in
    /// Node.js.
    pub(super) fn write(&self, chunk: Bytes) -> Result<bool, WriteError> {
        let mut state = self.state.lock();
        if state.ended {
            return Err(WriteError::Ended);
        }
        if state.gone || state.cut {
            return Ok(false);
        }
        if state.waiting + chunk.len() > MOST {
            return Err(WriteError::Full);
        }
        if !chunk.is_empty() {
            state.waiting += chunk.len();
            state.chunks.push_back(chunk);
        }
        state.asked_to_wait |= state.waiting >= HIGH_WATER;
        state.wake();
        Ok(!state.asked_to_wait)
    }

    /// Nothing follows.
    pub(super) fn end(&self) -> Result<(), WriteError> {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.ended, true) {
            return Err(WriteError::Ended);
        }
        state.wake();
        Ok(())
    }

    /// Cuts off a stream that was not ended.
    pub(super) fn cut(&self) {
        let mut state = self.state.lock();
        state.cut = !state.ended;
        state.wake();
    }

    /// Nobody takes anything any more.
    pub(super) fn leave(&self) {
        let mut state = self.state.lock();
        state.gone = true;
        state.chunks.clear();
        state.waiting = 0;
        drop(state);
        self.drained.notify_waiters();
    }

    /// True when the flow ended it.
    pub(super) fn is_ended(&self) -> bool {
        self.state.lock().ended
    }

    /// True when all of it was taken to be sent.
    pub(super) fn is_sent(&self) -> bool {
        self.state.lock().sent
    }

    /// Bytes that wait, and whether the flow was asked to wait for `drain`.
    pub(super) fn waiting(&self) -> (usize, bool) {
        let state = self.state.lock();
        (state.waiting, state.asked_to_wait)
    }

    /// Ends with true at the next `drain`, with false when the client is gone.
    pub(super) fn drain(self: &Arc<Stream>) -> impl Future<Output = bool> + Send + use<> {
        let stream = self.clone();
        // Counted from here on: the client may have taken all of it before this is polled.
        let seen = stream.state.lock().drains;
        async move {
            loop {
                let drained = stream.drained.notified();
                let taken = {
                    let state = stream.state.lock();
                    if state.gone {
                        return false;
                    }
                    if state.drains > seen {
                        return true;
                    }
                    state.taken
                };
                if tokio::time::timeout(STALLED, drained).await.is_err() && stream.give_up(taken) {
                    return false;
                }
            }
        }
    }

    /// Cuts the stream off when it is not ended and nothing was taken since.
    fn give_up(&self, taken: u64) -> bool {
        let mut state = self.state.lock();
        if state.ended || state.taken != taken {
            return false;
        }
        state.cut = true;
        state.wake();
        drop(state);
        self.leave();
        true
    }

    /// Its other end: the body of the answer. `events`: it is a stream of server-sent events. `promised`: bytes that the head
    /// says it has.
    pub(super) fn body(self: &Arc<Stream>, present: Present, events: bool, promised: Option<u64>) -> Sending {
        Sending {
            stream: self.clone(),
            comment: events.then(|| Box::pin(silence())),
            boundary: true,
            line_end: false,
            left: promised,
            flushed: false,
            _present: present,
        }
    }
}

fn silence() -> Sleep {
    tokio::time::sleep(COMMENT_AFTER)
}

/// The body of an answer that is being written.
pub(super) struct Sending {
    stream: Arc<Stream>,
    /// When a comment is due, in a stream of events.
    comment: Option<Pin<Box<Sleep>>>,
    /// No event is half sent.
    boundary: bool,
    /// What was sent ends with a line end.
    line_end: bool,
    /// Bytes that the head promised and that are still to come: the body is dropped once there are none.
    left: Option<u64>,
    /// There was time to send what came before the cut.
    flushed: bool,
    _present: Present,
}

impl Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let stream = self.stream.clone();
        let mut state = stream.state.lock();
        if let Some(chunk) = state.next_piece() {
            state.waiting -= chunk.len();
            state.taken += chunk.len() as u64;
            if state.chunks.is_empty() && std::mem::take(&mut state.asked_to_wait) {
                state.drains += 1;
                stream.drained.notify_waiters();
            }
            drop(state);
            self.left = self.left.map(|left| left.saturating_sub(chunk.len() as u64));
            let empty_line = matches!(&chunk[..], b"\n" | b"\r\n");
            self.boundary = chunk.ends_with(b"\n\n") || chunk.ends_with(b"\r\n\r\n") || (empty_line && self.line_end);
            self.line_end = chunk.ends_with(b"\n");
            if let Some(comment) = &mut self.comment {
                comment.as_mut().reset(tokio::time::Instant::now() + COMMENT_AFTER);
            }
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        if state.ended {
            state.sent = true;
            return Poll::Ready(None);
        }
        if state.cut && !std::mem::replace(&mut self.flushed, true) {
            // What came before goes out first.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if state.cut {
            return Poll::Ready(Some(Err(io::Error::other("the flow did not end its answer"))));
        }
        state.reader = Some(cx.waker().clone());
        drop(state);
        if self.boundary
            && let Some(comment) = &mut self.comment
            && comment.as_mut().poll(cx).is_ready()
        {
            comment.as_mut().reset(tokio::time::Instant::now() + COMMENT_AFTER);
            // Polled again at once: the timer is set anew then.
            cx.waker().wake_by_ref();
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(COMMENT)))));
        }
        Poll::Pending
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if self.left == Some(0) {
            self.stream.state.lock().sent = true;
        }
        self.stream.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Exchange;
    use futures::FutureExt;
    use http_body_util::BodyExt;

    fn stream(events: bool) -> (Arc<Stream>, Sending) {
        let (exchange, _) = Exchange::new(true);
        let stream = Arc::new(Stream::default());
        let body = stream.body(exchange.present(), events, None);
        (stream, body)
    }

    async fn next(body: &mut Sending) -> Option<Result<Bytes, String>> {
        body.frame().await.map(|frame| frame.map(|frame| frame.into_data().unwrap()).map_err(|error| error.to_string()))
    }

    #[tokio::test]
    async fn pieces_come_in_order_and_the_end_after_them() {
        let (stream, mut body) = stream(false);
        assert_eq!(stream.write(Bytes::from("a")), Ok(true));
        assert_eq!(stream.write(Bytes::from("b")), Ok(true));
        stream.end().unwrap();
        assert_eq!(stream.write(Bytes::from("c")), Err(WriteError::Ended));
        assert_eq!(next(&mut body).await.unwrap().unwrap(), "a");
        assert_eq!(next(&mut body).await.unwrap().unwrap(), "b");
        assert!(!stream.is_sent());
        assert!(next(&mut body).await.is_none());
        assert!(stream.is_sent());
    }

    #[tokio::test]
    async fn a_slow_client_is_waited_for_and_has_a_bound() {
        let (stream, mut body) = stream(false);
        assert_eq!(stream.write(vec![0; HIGH_WATER].into()), Ok(false));
        let mut drain = Box::pin(stream.drain());
        assert!(drain.as_mut().now_or_never().is_none());
        next(&mut body).await;
        assert!(drain.await, "all was taken");
        assert_eq!(stream.write(vec![0; MOST].into()), Ok(false));
        assert_eq!(stream.write(vec![0; 1].into()), Err(WriteError::Full));
        let drain = stream.drain();
        drop(body);
        assert!(!drain.await, "the client is gone");
        assert_eq!(stream.write(vec![0; 1].into()), Ok(false), "it is lost without an error, as in Node.js");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_large_chunk_slowly_is_not_given_up() {
        const ALL: usize = PIECE * 16 + 4;
        let (stream, mut body) = stream(false);
        assert_eq!(stream.write(vec![0; PIECE * 16].into()), Ok(false));
        // Behind the large one: the flow is told when this is taken, too.
        assert_eq!(stream.write(Bytes::from("more")), Ok(false));
        let reading = async {
            let mut taken = 0;
            while taken < ALL {
                let piece = next(&mut body).await.unwrap().unwrap().len();
                taken += piece;
                // What its connection needs: hyper asks for more when most of it is gone.
                tokio::time::sleep(STALLED / 2 * u32::try_from(piece).unwrap() / u32::try_from(PIECE).unwrap()).await;
            }
            taken
        };
        let (drained, taken) = tokio::join!(stream.drain(), reading);
        assert!(drained, "it took some all the time");
        assert_eq!(taken, ALL);
    }

    #[tokio::test]
    async fn a_stream_that_is_cut_off_ends_with_an_error() {
        let (stream, mut body) = stream(false);
        stream.write(Bytes::from("half")).unwrap();
        stream.cut();
        assert_eq!(next(&mut body).await.unwrap().unwrap(), "half");
        assert!(next(&mut body).await.unwrap().is_err());
        assert!(!stream.is_sent());
    }

    #[tokio::test(start_paused = true)]
    async fn silent_events_are_kept_alive_between_events_only() {
        let (stream, mut body) = stream(true);
        for _ in 0..2 {
            assert_eq!(next(&mut body).await.unwrap().unwrap(), COMMENT);
        }
        stream.write(Bytes::from("data: half")).unwrap();
        next(&mut body).await;
        assert!(tokio::time::timeout(COMMENT_AFTER * 3, next(&mut body)).await.is_err());
        stream.write(Bytes::from(" a line\n\n")).unwrap();
        next(&mut body).await;
        assert_eq!(next(&mut body).await.unwrap().unwrap(), COMMENT);
    }
}
