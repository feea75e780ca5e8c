//! What hyper leaves to the stream below it: header names as the flow wrote them, and heads as strict as Node reads them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The text of Node's parser for a line of a head that ends without a carriage return.
pub(super) const BARE_LINE_FEED: &str = "Missing expected CR after response line";

/// The header names of the next request, with their case. Shared by who sends and the stream.
#[derive(Clone, Default)]
pub(super) struct NextHead(Arc<Mutex<Option<Vec<String>>>>);

impl NextHead {
    /// What is written next is the head of a request with these header names.
    pub(super) fn announce(&self, names: Vec<String>) {
        *self.0.lock() = Some(names);
    }
}

/// How far into the head of a response the stream is.
#[derive(Clone, Copy, PartialEq)]
enum Reading {
    /// In the head; the last byte read.
    Head(u8),
    /// At the start of a line: another line end is the end of the head.
    LineStart,
    Body,
}

/// A stream of one HTTP connection.
pub(super) struct Wire<S> {
    stream: S,
    lenient: bool,
    next: NextHead,
    /// The rest of a head that is being written.
    head: Vec<u8>,
    written: usize,
    /// Nothing was asked yet: servers that answer before they were asked wait, else hyper gives them up.
    unasked: Option<Option<Waker>>,
    reading: Reading,
}

impl<S> Wire<S> {
    /// `lenient`: lines of a head may end in a bare line feed, as with Node's insecure parser.
    pub(super) fn new(stream: S, lenient: bool, next: NextHead) -> Wire<S> {
        let reading = Reading::Head(0);
        Wire { stream, lenient, next, head: Vec::new(), written: 0, unasked: Some(None), reading }
    }

    /// Takes the head off a buffer that begins with one, its names in the announced case.
    fn begin(&mut self, buffer: &[u8]) {
        let Some(end) = find(buffer, b"\r\n\r\n") else { return };
        let Some(names) = self.next.0.lock().take() else { return };
        self.head = buffer[..end + 4].to_vec();
        self.written = 0;
        self.reading = Reading::Head(0);
        for name in names {
            let line = [b"\r\n", name.as_bytes(), b":"].concat();
            let mut from = 0;
            while let Some(at) = self.head[from..].windows(line.len()).position(|part| part.eq_ignore_ascii_case(&line))
            {
                self.head[from + at..from + at + line.len()].copy_from_slice(&line);
                from += at + line.len();
            }
        }
    }

    /// Refuses a bare line feed in the head of a response.
    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            self.reading = match (self.reading, *byte) {
                (Reading::Body, _) => return Ok(()),
                (Reading::Head(b'\r'), b'\n') => Reading::LineStart,
                (Reading::LineStart, b'\r') => Reading::Body,
                (_, b'\n') => return Err(io::Error::new(io::ErrorKind::InvalidData, BARE_LINE_FEED)),
                (_, other) => Reading::Head(other),
            };
        }
        Ok(())
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let me = &mut *self;
        if me.written == me.head.len() {
            me.begin(buffer);
        }
        let n = if me.written < me.head.len() {
            let n = ready!(Pin::new(&mut me.stream).poll_write(cx, &me.head[me.written..]))?;
            me.written += n;
            n
        } else {
            ready!(Pin::new(&mut me.stream).poll_write(cx, buffer))?
        };
        if let Some(Some(reader)) = me.unasked.take() {
            reader.wake();
        }
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = &mut *self;
        if let Some(reader) = &mut me.unasked {
            *reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut me.stream).poll_read(cx, buffer))?;
        if !me.lenient {
            let checked = me.check(&buffer.filled()[before..]);
            if checked.is_err() {
                buffer.set_filled(before);
            }
            checked?;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    #[allow(clippy::disallowed_methods, reason = "its panic shows in the test that waits for it")]
    async fn names_keep_their_case_and_bodies_are_left_alone() {
        let (near, mut far) = tokio::io::duplex(16);
        let next = NextHead::default();
        let mut wire = Wire::new(near, false, next.clone());
        let request = b"GET / HTTP/1.1\r\nX-Test-Head: a\r\nX-Other: b\r\n\r\n\r\nX-Test-Head: body";
        next.announce(vec!["x-TEST-head".to_owned()]);
        let read = tokio::spawn(async move {
            let mut text = String::new();
            far.read_to_string(&mut text).await.unwrap();
            text
        });
        wire.write_all(request).await.unwrap();
        drop(wire);
        let expected = "GET / HTTP/1.1\r\nx-TEST-head: a\r\nX-Other: b\r\n\r\n\r\nX-Test-Head: body";
        assert_eq!(read.await.unwrap(), expected);
    }

    #[tokio::test]
    async fn a_bare_line_feed_in_a_head_is_refused_unless_lenient() {
        for (lenient, text, fine) in [
            (false, "HTTP/1.0 200\nA: b\n\nbody", false),
            (true, "HTTP/1.0 200\nA: b\n\nbody", true),
            (false, "HTTP/1.0 200 OK\r\nA: b\r\n\r\nbo\ndy", true),
        ] {
            let (near, mut far) = tokio::io::duplex(1024);
            let mut wire = Wire::new(near, lenient, NextHead::default());
            far.write_all(text.as_bytes()).await.unwrap();
            drop(far);
            wire.stream_asked();
            let mut read = String::new();
            assert_eq!(wire.read_to_string(&mut read).await.is_ok(), fine, "{text:?}");
        }
    }

    impl<S> Wire<S> {
        fn stream_asked(&mut self) {
            self.unasked = None;
        }
    }
}
