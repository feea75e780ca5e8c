//! How much the system keeps of what a peer has not asked for yet.

use tokio::net::TcpStream;

/// Bytes that the system takes beyond what it has sent. Without a bound it takes 3.3 MB for a peer on the same machine, and there is
/// room again when 1.1 MB of that is gone: a peer that reads 10 kB a second seems to take nothing for two minutes. With this bound it
/// takes 78 kB, and there is room again every 37 kB (Linux 6.18). A fast peer on the same machine got 2.7 to 3.0 GB a second with it
/// and 2.3 to 3.3 GB without. A smaller one would show more, but what is not sent yet has to last until a busy writer comes back.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 << 10;

/// What is given at once to something that takes all of it and tells of progress only when it is through: a frame of a WebSocket, a
/// chunk of an answer. As much as the system keeps of what it cannot send yet.
pub const PIECE: usize = 64 << 10;

/// Makes a deadline on writes see what the peer takes: the system refuses more than 64 KiB that it cannot send yet
/// (TCP_NOTSENT_LOWAT). What is on the way to the peer is not bounded by it, so a fast peer is as fast as before.
///
/// It does nothing on systems other than Linux. A connection without it works all the same, so errors are not told.
pub fn show_progress(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT);
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}
