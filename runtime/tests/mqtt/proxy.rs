//! A TCP proxy that cuts its connections when told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Proxy {
    pub port: u16,
    cut: watch::Sender<usize>,
    open: Arc<AtomicUsize>,
}

impl Proxy {
    /// Forwards to a port of this machine.
    pub async fn start(to: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = watch::Sender::new(0);
        let open = Arc::new(AtomicUsize::new(0));
        let (cuts, count) = (cut.clone(), open.clone());
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let (mut cut, count) = (cuts.subscribe(), count.clone());
                tokio::spawn(async move {
                    let Ok(mut there) = TcpStream::connect(("127.0.0.1", to)).await else { return };
                    count.fetch_add(1, Ordering::SeqCst);
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut from, &mut there) => {}
                        _ = cut.changed() => {}
                    }
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Proxy { port, cut, open }
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}
