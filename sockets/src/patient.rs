//! A connection whose peer has to read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A peer that takes nothing of what waits for it for so long is cut off.
pub const STALLED: Duration = Duration::from_secs(60);

/// A connection that breaks ([`io::ErrorKind::TimedOut`]) when something waits to be written and the peer takes nothing of it for
/// [`STALLED`]: what an answer or a stream holds is given back then. A peer that goes on taking some has all the time that it
/// needs, from about 1 kB a second on if the socket shows its progress ([`show_progress`](super::show_progress)).
pub struct Patient<S> {
    inner: S,
    patience: Duration,
    /// Runs while something waits. There is none while the socket takes all.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    /// Watches a connection.
    pub fn new(inner: S) -> Patient<S> {
        Patient::with_patience(inner, STALLED)
    }

    /// The same with another time.
    pub(super) fn with_patience(inner: S, patience: Duration) -> Patient<S> {
        Patient { inner, patience, stuck: None }
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let patience = self.patience;
        let timer = self.stuck.get_or_insert_with(|| Box::pin(sleep(patience)));
        timer.as_mut().poll(cx).map(|()| {
            let why = format!("the peer does not read: it has taken nothing for {} s", patience.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, why))
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, out)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.watch(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, pieces);
        this.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        this.watch(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.inner).poll_shutdown(cx);
        this.watch(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    use super::*;

    /// Writes 1 KiB through a line that takes 64 bytes; how that ends, and when.
    async fn write(mut peer: impl AsyncWrite + Unpin) -> (Result<(), io::ErrorKind>, Duration) {
        let begun = Instant::now();
        let written = peer.write_all(&[0; 1024]).await;
        (written.map_err(|error| error.kind()), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_cut_off() {
        let (near, _far) = tokio::io::duplex(64);
        let (ended, after) = write(Patient::new(near)).await;
        assert_eq!(ended, Err(io::ErrorKind::TimedOut));
        assert!(after >= STALLED && after < STALLED * 2, "{after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_peer_is_not() {
        let (near, mut far) = tokio::io::duplex(64);
        let reading = async {
            let mut buffer = [0; 64];
            loop {
                sleep(STALLED / 2).await;
                far.read_exact(&mut buffer).await.unwrap();
            }
        };
        let (ended, after) = tokio::select! {
            written = write(Patient::new(near)) => written,
            () = reading => unreachable!("it reads without end"),
        };
        assert_eq!(ended, Ok(()));
        assert!(after > STALLED * 7, "{after:?}");
    }
}
