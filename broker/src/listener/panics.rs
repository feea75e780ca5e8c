//! A panic in the task of a connection ends that connection as a broken line does.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use flotilla_codec::{Connect, Version, client};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Shared, connection};
use crate::Config;

/// A line that brings a CONNECT, and panics when it is read once more.
struct Trap(Option<BytesMut>);

impl AsyncRead for Trap {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        out.put_slice(&self.0.take().expect("read after the CONNECT"));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Trap {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn its_session_is_not_taken_for_connected() {
    let shared = Shared::of(Config::default());
    let mut connect = BytesMut::new();
    client::connect(&mut connect, &Connect { session_expiry: 60, ..Connect::new(Version::V5, "trapped") });
    let before = flotilla_tasks::panics();
    connection::run(Trap(Some(connect)), ([127, 0, 0, 1], 1).into(), shared.clone()).await;
    assert_eq!(flotilla_tasks::panics(), before + 1, "the panic was reported");
    let status = shared.router.lock().status();
    assert_eq!((status.connections, status.sessions), (0, 1));
}
