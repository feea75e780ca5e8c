//! Answers that a client of hyper reads, with as many header lines as they have.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::gather;
use super::long::{self, Rest};

/// A head that is larger goes to hyper as it is, which refuses it.
const LARGEST: usize = 512 * 1024;

/// A connection to a server on which one request at a time waits for its answer. Of a head with more lines than hyper takes, hyper
/// reads a part; [`Answers`] has the rest.
pub struct Shortened<S> {
    inner: S,
    answers: Answers,
    /// A head that has not come as a whole, or what of it is not handed on yet.
    buffer: BytesMut,
    /// What the buffer has is to be handed on.
    passes: bool,
}

/// Who sends the requests of a [`Shortened`] connection tells it so, and gets the header lines that hyper did not read.
#[derive(Clone, Default)]
pub struct Answers(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// The next bytes are those of a head.
    expected: AtomicBool,
    /// Read first, so that the lock is taken only after a long head.
    has_rest: AtomicBool,
    rest: Mutex<Rest>,
}

/// What bytes that begin with a head are.
#[derive(Debug, PartialEq, Eq)]
enum Heads {
    /// The last head ends in them, and hyper takes it.
    Fit,
    /// They end in the middle of a head.
    Open,
    /// Between these two is the last head, with more lines than hyper takes.
    Long(usize, usize),
}

impl Answers {
    /// A request is sent: what comes next is the head of its answer.
    pub fn expect(&self) {
        self.0.expected.store(true, Ordering::Release);
    }

    /// The answer came, with these headers: those that hyper left out are put behind them.
    pub fn complete(&self, headers: &mut HeaderMap) {
        if self.0.has_rest.swap(false, Ordering::AcqRel) {
            let rest = std::mem::take(&mut *self.0.rest.lock().unwrap_or_else(PoisonError::into_inner));
            long::restore(headers, rest);
        }
    }

    fn is_expected(&self) -> bool {
        self.0.expected.load(Ordering::Acquire)
    }

    fn came(&self) {
        self.0.expected.store(false, Ordering::Release);
    }

    fn keep(&self, rest: Rest) {
        *self.0.rest.lock().unwrap_or_else(PoisonError::into_inner) = rest;
        self.0.has_rest.store(true, Ordering::Release);
    }
}

/// Looks at the heads that bytes begin with: before the answer there may be informational ones (RFC 9110, section 15.2).
fn heads(bytes: &[u8]) -> Heads {
    let (mut begin, mut lines) = (0, 0_usize);
    for at in memchr::memchr_iter(b'\n', bytes) {
        let empty = at >= begin + 3 && bytes[at - 1] == b'\r' && bytes[at - 2] == b'\n';
        if !empty {
            lines += 1;
            continue;
        }
        let status = bytes.get(begin + 9..begin + 12).unwrap_or_default();
        if status.first() == Some(&b'1') && status != b"101" {
            (begin, lines) = (at + 1, 0);
            continue;
        }
        // The first line is none of the header's.
        return if lines > long::MOST + 1 { Heads::Long(begin, at + 1) } else { Heads::Fit };
    }
    Heads::Open
}

impl<S> Shortened<S> {
    /// Reads answers over a connection.
    pub fn new(inner: S) -> (Shortened<S>, Answers) {
        let answers = Answers::default();
        (Shortened { inner, answers: answers.clone(), buffer: BytesMut::new(), passes: false }, answers)
    }

    /// Takes what comes while a head is not whole. It passes once that is, or when it is too large or at its end.
    fn take(&mut self, read: &[u8]) {
        self.buffer.extend_from_slice(read);
        match heads(&self.buffer) {
            Heads::Open if read.is_empty() || self.buffer.len() > LARGEST => {}
            Heads::Open => return,
            Heads::Fit => {}
            Heads::Long(begin, end) => {
                // hyper says what is wrong with one that cannot be shortened.
                if let Some((short, rest)) = long::shorten(&self.buffer[begin..end]) {
                    let behind = self.buffer.split_off(end);
                    self.buffer.truncate(begin);
                    self.buffer.extend_from_slice(&short);
                    self.buffer.extend_from_slice(&behind);
                    self.answers.keep(rest);
                }
            }
        }
        self.answers.came();
        self.passes = true;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Shortened<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.passes {
                let taken = this.buffer.len().min(out.remaining());
                out.put_slice(&this.buffer[..taken]);
                this.buffer.advance(taken);
                this.passes = !this.buffer.is_empty();
                return Poll::Ready(Ok(()));
            }
            let before = out.filled().len();
            ready!(Pin::new(&mut this.inner).poll_read(cx, out))?;
            if !this.answers.is_expected() {
                return Poll::Ready(Ok(()));
            }
            let read = &out.filled()[before..];
            if this.buffer.is_empty() && (read.is_empty() || heads(read) == Heads::Fit) {
                this.answers.came();
                return Poll::Ready(Ok(()));
            }
            this.take(read);
            out.set_filled(before);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shortened<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        gather::poll_write(&mut self.get_mut().inner, cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn long(lines: usize) -> String {
        (0..lines)
            .fold("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n".to_owned(), |head, n| head + &format!("X-{n}: {n}\r\n"))
            + "\r\n"
    }

    /// What hyper would read of an answer that comes in such pieces, and the lines that go round it.
    async fn passed(bytes: &str, piece: usize) -> (String, HeaderMap) {
        let (mut server, client) = tokio::io::duplex(1 << 20);
        let (mut shortened, answers) = Shortened::new(client);
        answers.expect();
        let writing = async move {
            for piece in bytes.as_bytes().chunks(piece) {
                server.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let mut all = Vec::new();
        let reading = tokio::time::timeout(Duration::from_secs(5), shortened.read_to_end(&mut all));
        let ((), read) = tokio::join!(writing, reading);
        read.unwrap().unwrap();
        let mut headers = HeaderMap::new();
        answers.complete(&mut headers);
        (String::from_utf8(all).unwrap(), headers)
    }

    #[tokio::test]
    async fn answers_pass_unchanged_while_hyper_takes_all_their_lines() {
        let body = "ok\n\r\n\r\n".repeat(300);
        for head in [long(0), long(99), format!("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n{}", long(3))] {
            let answer = format!("{head}{body}");
            for piece in [1, 7, 100, usize::MAX] {
                let (seen, rest) = passed(&answer, piece).await;
                assert!(seen == answer && rest.is_empty(), "{piece}: {seen}");
            }
        }
    }

    #[tokio::test]
    async fn the_lines_that_hyper_does_not_take_go_round_it() {
        let early = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
        for piece in [1, 7, 1000, usize::MAX] {
            let (seen, rest) = passed(&format!("{early}{}ok", long(150)), piece).await;
            assert!(seen.starts_with(&format!("{early}HTTP/1.1 200 OK\r\n")) && seen.ends_with("\r\n\r\nok"), "{seen}");
            assert!(seen.contains("Content-Length: 2\r\n") && seen.matches('\n').count() <= long::MOST + 5, "{seen}");
            for n in 0..150 {
                let read = seen.contains(&format!("\nX-{n}: {n}\r\n"));
                let went_round = rest.get(format!("x-{n}")).is_some_and(|value| value == n.to_string().as_str());
                assert!(read != went_round, "line {n}");
            }
        }
    }

    #[tokio::test]
    async fn what_no_request_waits_for_and_what_is_cut_off_pass_as_they_are() {
        for bytes in [long(150)[..700].to_owned(), "HTTP/1.1 2".to_owned(), String::new()] {
            let (seen, rest) = passed(&bytes, 50).await;
            assert!(seen == bytes && rest.is_empty(), "{seen}");
        }
        let (mut server, client) = tokio::io::duplex(1 << 16);
        let (mut shortened, answers) = Shortened::new(client);
        server.write_all(long(150).as_bytes()).await.unwrap();
        drop(server);
        let mut all = String::new();
        shortened.read_to_string(&mut all).await.unwrap();
        let mut headers = HeaderMap::new();
        answers.complete(&mut headers);
        assert!(all == long(150) && headers.is_empty());
    }
}
