//! Peers that read slowly, over sockets of the system: its buffers must not hide what they take.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, interval, timeout};

use super::{Patient, show_progress};

/// A peer has so long to take something.
const PATIENCE: Duration = Duration::from_secs(2);
/// A reading peer takes so many bytes 20 times a second, 240 kB in `PATIENCE`. With its progress shown the system tells of every
/// 37 kB, without only of every 1.1 MB.
const PIECE: usize = 6 << 10;
/// More than all buffers hold.
const MUCH: usize = 64 << 20;

/// A connection. Its far end keeps little of what it has not read.
async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 << 10).unwrap();
    let (far, near) = tokio::join!(socket.connect(listener.local_addr().unwrap()), listener.accept());
    (near.unwrap().0, far.unwrap())
}

/// Writes more than the peer reads, for three times as long as it has patience at most; how it failed, if it did.
async fn write(near: TcpStream) -> Option<io::ErrorKind> {
    let mut near = Patient::with_patience(near, PATIENCE);
    let written = timeout(PATIENCE * 3, near.write_all(&vec![0; MUCH])).await;
    written.ok().map(|written| written.expect_err("the peer cannot have read all of it").kind())
}

/// Reads a little again and again.
async fn read(mut far: TcpStream) {
    let (mut pace, mut piece) = (interval(Duration::from_millis(50)), [0; PIECE]);
    loop {
        pace.tick().await;
        far.read_exact(&mut piece).await.expect("the connection is open");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_reads_slowly_is_seen_to_read() {
    let (near, far) = connection().await;
    show_progress(&near);
    let cut = tokio::select! {
        cut = write(near) => cut,
        () = read(far) => unreachable!("it reads without end"),
    };
    assert_eq!(cut, None, "it took something all the time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_is_cut_off_in_its_time() {
    let (near, far) = connection().await;
    show_progress(&near);
    let begun = Instant::now();
    assert_eq!(write(near).await, Some(io::ErrorKind::TimedOut));
    assert!(begun.elapsed() >= PATIENCE, "{:?}", begun.elapsed());
    drop(far);
}
