//! Small pieces are written as one.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncWrite, ReadBuf};

/// Pieces that have no more bytes together are copied: the system needs longer for a list of buffers than for one.
const SMALL: usize = 2 * 1024;

/// Writes pieces in their order: how many bytes of them together were taken.
pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
    to: &mut S,
    cx: &mut Context<'_>,
    pieces: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    if let [only] = pieces {
        return Pin::new(to).poll_write(cx, only);
    }
    if pieces.iter().map(|piece| piece.len()).sum::<usize>() > SMALL {
        return Pin::new(to).poll_write_vectored(cx, pieces);
    }
    let mut all = [MaybeUninit::uninit(); SMALL];
    let mut all = ReadBuf::uninit(&mut all);
    pieces.iter().for_each(|piece| all.put_slice(piece));
    Pin::new(to).poll_write(cx, all.filled())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes some bytes at once, and says in how many buffers they came.
    struct Taking {
        most: usize,
        taken: Vec<u8>,
        buffers: Vec<usize>,
    }

    impl AsyncWrite for Taking {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let this = self.get_mut();
            let taken = bytes.len().min(this.most);
            this.taken.extend_from_slice(&bytes[..taken]);
            this.buffers.push(1);
            Poll::Ready(Ok(taken))
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            pieces: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let this = self.get_mut();
            let mut left = this.most;
            for piece in pieces {
                let taken = piece.len().min(left);
                this.taken.extend_from_slice(&piece[..taken]);
                left -= taken;
            }
            this.buffers.push(pieces.len());
            Poll::Ready(Ok(this.most - left))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn all_bytes_are_written_in_their_order_and_small_ones_at_once() {
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        for (sizes, buffers) in
            [(vec![300, 12], 1), (vec![7], 1), (vec![SMALL - 1, 0, 1], 1), (vec![SMALL, 1], 2), (vec![1, 9000, 3], 3)]
        {
            for most in [1, 100, 100_000] {
                let all: Vec<u8> = (0..sizes.iter().sum::<usize>()).map(|at| at as u8).collect();
                let mut to = Taking { most, taken: Vec::new(), buffers: Vec::new() };
                while to.taken.len() < all.len() {
                    // As hyper does: what was not taken comes again.
                    let (mut begin, mut pieces) = (0, Vec::new());
                    for size in &sizes {
                        let end = begin + size;
                        pieces.push(IoSlice::new(&all[begin.max(to.taken.len()).min(end)..end]));
                        begin = end;
                    }
                    let before = to.taken.len();
                    let written = poll_write(&mut to, cx, &pieces);
                    assert!(matches!(written, Poll::Ready(Ok(taken)) if taken == to.taken.len() - before && taken > 0));
                }
                assert!(to.taken == all && to.buffers[0] == buffers, "{sizes:?} {most}");
            }
        }
    }
}
