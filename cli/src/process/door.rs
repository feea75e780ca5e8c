//! A listener whose clients have to read what they ask for.

use std::io;
use std::net::SocketAddr;

use axum::serve::Listener;
use flotilla_sockets::{Patient, show_progress};
use tokio::net::{TcpListener, TcpStream};

/// Connections of an address. One whose client takes nothing of its answer for 60 s is cut off, so that it holds nothing for ever.
pub(super) struct Door(pub(super) TcpListener);

impl Listener for Door {
    type Io = Patient<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Patient<TcpStream>, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        show_progress(&stream);
        (Patient::new(stream), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use bytes::Bytes;
    use flotilla_sockets::STALLED;
    use futures::stream;
    use parking_lot::Mutex;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_cut_off() {
        let (held, given_back) = oneshot::channel::<()>();
        let held = Mutex::new(Some(held));
        // An answer without end that holds something.
        let endless = move || {
            let held = held.lock().take();
            let pieces = stream::repeat_with(move || {
                let _holds = &held;
                Ok::<_, io::Error>(Bytes::from_static(&[0; 1024]))
            });
            std::future::ready(Body::from_stream(pieces))
        };
        let endless = std::sync::Arc::new(endless);
        let app = Router::new().route("/", get(move || endless()));
        let door = Door(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = door.local_addr().unwrap();
        let client = async {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
            client.read_exact(&mut [0; 1024]).await.unwrap();
            // It takes nothing more.
            let cut = timeout(STALLED * 3, given_back).await;
            drop(client);
            cut
        };
        let cut = tokio::select! {
            served = axum::serve(door, app).into_future() => unreachable!("it serves without end: {served:?}"),
            cut = client => cut,
        };
        cut.expect("the answer is given back").expect_err("nothing is said, it is only given back");
    }
}
