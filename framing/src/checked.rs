//! The stream between a socket and hyper.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use flotilla_sockets::Patient;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::chunks::Chunks;
use super::gather;
use super::head::{self, Follows};
use super::long;
use super::refusal::Refusal;
use super::scan::end_of_head;
use super::switch::Switch;

/// Read at once.
const PIECE: usize = 8 * 1024;
/// Empty lines that are left out before a request (RFC 9112, section 2.2).
const EMPTY_LINES: u8 = 2;

/// A connection that hands on only requests that were checked. In the place of one that is refused comes a request that
/// [`crate::refusal`] knows; nothing is read behind it. A peer that does not read is cut off (see [`Patient`]).
pub struct Checked<S> {
    inner: Patient<S>,
    /// Read, not yet handed on.
    buffer: BytesMut,
    /// So many bytes of the buffer are checked.
    passed: usize,
    at: At,
    /// Heads that passed.
    heads: u64,
    switch: Switch,
}

#[derive(Clone, Copy, Debug)]
enum At {
    /// In a head: so many of its bytes were looked at; empty lines before it.
    Head(usize, u8),
    /// In a body: so many bytes are still to come.
    Body(u64),
    Chunks(Chunks),
    /// Behind a request to upgrade.
    Asked,
    /// Not HTTP any more.
    Tunnel,
    /// Nothing is read any more.
    Refused,
}

impl<S> Checked<S> {
    /// Checks what comes over a connection. The server tells the switch how it answers each request.
    pub fn new(inner: S) -> (Checked<S>, Switch) {
        let switch = Switch::default();
        let inner = Patient::new(inner);
        let at = At::Head(0, 0);
        let checked = Checked { inner, buffer: BytesMut::new(), passed: 0, at, heads: 0, switch: switch.clone() };
        (checked, switch)
    }

    /// Checks what the buffer has beyond what has passed. False when it needs more.
    fn advance(&mut self) -> io::Result<bool> {
        let unchecked = self.buffer.len() - self.passed;
        if unchecked == 0 {
            return Ok(false);
        }
        match self.at {
            At::Head(seen, empty) => Ok(self.advance_head(seen, empty)),
            At::Body(left) => {
                let taken = unchecked.min(usize::try_from(left).unwrap_or(usize::MAX));
                self.passed += taken;
                let left = left - taken as u64;
                self.at = if left == 0 { At::Head(0, 0) } else { At::Body(left) };
                Ok(true)
            }
            At::Chunks(mut chunks) => {
                let taken = chunks.take(&self.buffer[self.passed..]);
                let taken = taken.inspect_err(|_| self.at = At::Refused).map_err(invalid)?;
                self.passed += taken;
                self.at = if chunks == Chunks::Over { At::Head(0, 0) } else { At::Chunks(chunks) };
                Ok(true)
            }
            At::Tunnel => {
                self.passed = self.buffer.len();
                Ok(true)
            }
            At::Asked | At::Refused => Ok(false),
        }
    }

    fn advance_head(&mut self, seen: usize, mut empty: u8) -> bool {
        let start = self.passed;
        while seen == 0 && self.buffer[start..].starts_with(b"\r\n") {
            if empty == EMPTY_LINES {
                return self.refuse(Refusal::bad("too many empty lines before a request"));
            }
            empty += 1;
            let behind = self.buffer.split_off(start);
            self.buffer.unsplit(BytesMut::from(&behind[2..]));
        }
        let head = &self.buffer[start..];
        let end = match end_of_head(head, seen) {
            Ok(Some(end)) => end,
            Ok(None) => {
                // A CR at the end is looked at again, with what follows it.
                self.at = At::Head(head.len() - usize::from(head.last() == Some(&b'\r')), empty);
                return false;
            }
            Err(refusal) => return self.refuse(refusal),
        };
        match head::check(&head[..end]) {
            Ok(head) if head.lines <= long::MOST => {
                self.passed = start + end;
                self.pass(head.follows, 0);
                true
            }
            Ok(head) => self.pass_in_part(start + end, head.follows),
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// A head has passed, and so many bytes of what follows it.
    fn pass(&mut self, follows: Follows, passed: u64) {
        self.heads += 1;
        self.at = match follows {
            Follows::Body(length) if length == passed => At::Head(0, 0),
            Follows::Body(length) => At::Body(length - passed),
            Follows::Chunks => At::Chunks(Chunks::FIRST),
            Follows::Upgrade => {
                self.switch.asked();
                At::Asked
            }
        };
    }

    /// A head up to here passes, of which hyper takes only a part of the lines.
    fn pass_in_part(&mut self, end: usize, follows: Follows) -> bool {
        let Some((short, rest)) = long::shorten(&self.buffer[self.passed..end]) else {
            return self.refuse(Refusal::bad("a header line is malformed"));
        };
        let behind = self.buffer.split_off(end);
        self.buffer.truncate(self.passed);
        self.buffer.extend_from_slice(&short);
        self.passed = self.buffer.len();
        self.buffer.extend_from_slice(&behind);
        self.switch.keep(self.heads, rest);
        self.pass(follows, 0);
        true
    }

    fn refuse(&mut self, refusal: Refusal) -> bool {
        self.buffer.truncate(self.passed);
        self.buffer.extend_from_slice(refusal.in_its_place().as_bytes());
        self.passed = self.buffer.len();
        self.at = At::Refused;
        true
    }
}

/// What follows the head that these bytes begin with, and how many bytes of that there are. `None` when it has to be looked at
/// closer: it is not whole, it is refused, hyper does not take all of it, or more comes behind it than its body.
fn whole_head(bytes: &[u8]) -> Option<(Follows, u64)> {
    if bytes[0] == b'\r' {
        return None;
    }
    let end = end_of_head(bytes, 0).ok()??;
    let head = head::check(&bytes[..end]).ok().filter(|head| head.lines <= long::MOST)?;
    let behind = (bytes.len() - end) as u64;
    let fits = match head.follows {
        Follows::Body(length) => behind <= length,
        Follows::Chunks | Follows::Upgrade => behind == 0,
    };
    fits.then_some((head.follows, behind))
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl<S: AsyncRead + Unpin> AsyncRead for Checked<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if out.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if this.passed > 0 {
                let taken = this.passed.min(out.remaining());
                out.put_slice(&this.buffer[..taken]);
                this.buffer.advance(taken);
                this.passed -= taken;
                return Poll::Ready(Ok(()));
            }
            if let At::Asked = this.at {
                let open = this.switch.is_open(cx.waker());
                if !open {
                    this.at = if this.switch.is_tunnel() { At::Tunnel } else { At::Head(0, 0) };
                } else if this.buffer.len() >= head::LARGEST {
                    // Nobody sends as much before the answer to the handshake.
                    return Poll::Pending;
                }
            }
            if this.advance()? {
                continue;
            }
            // What is read as a whole, or needs no look at what comes behind it, goes straight through.
            if this.buffer.is_empty() {
                match this.at {
                    At::Tunnel => return Pin::new(&mut this.inner).poll_read(cx, out),
                    At::Body(left) => return this.read_body(cx, out, left),
                    At::Head(0, 0) => {
                        if ready!(this.read_head(cx, out))? {
                            return Poll::Ready(Ok(()));
                        }
                        continue;
                    }
                    At::Head(..) | At::Chunks(_) | At::Asked | At::Refused => {}
                }
            }
            if ready!(this.read_more(cx))? == 0 {
                if let At::Refused = this.at {
                    // hyper would take the end for that of the client, and would not answer.
                    return Poll::Pending;
                }
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + Unpin> Checked<S> {
    /// Reads where a request begins. Most come as a whole, with nothing behind them: those are checked where they are. False: what
    /// was read is in the buffer.
    fn read_head(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let before = out.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, out))?;
        let read = &out.filled()[before..];
        if read.is_empty() {
            return Poll::Ready(Ok(true));
        }
        if let Some((follows, behind)) = whole_head(read) {
            self.pass(follows, behind);
            return Poll::Ready(Ok(true));
        }
        self.buffer.extend_from_slice(read);
        out.set_filled(before);
        Poll::Ready(Ok(false))
    }

    fn read_body(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>, left: u64) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, out))?;
        let read = out.filled().len() - before;
        let body = read.min(usize::try_from(left).unwrap_or(usize::MAX));
        if body < read {
            // The next request came along.
            self.buffer.extend_from_slice(&out.filled()[before + body..]);
            out.set_filled(before + body);
        }
        let left = left - body as u64;
        self.at = if left == 0 { At::Head(0, 0) } else { At::Body(left) };
        Poll::Ready(Ok(()))
    }

    fn read_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut piece = [std::mem::MaybeUninit::uninit(); PIECE];
        let mut piece = ReadBuf::uninit(&mut piece);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut piece))?;
        let read = piece.filled().len();
        // What comes behind a refused request is thrown away: a close with unread bytes would take the answer along.
        if !matches!(self.at, At::Refused) {
            self.buffer.extend_from_slice(piece.filled());
        }
        Poll::Ready(Ok(read))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Checked<S> {
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
