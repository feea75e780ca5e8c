//! Options of sockets: a peer that is gone without a word is noticed.

use std::time::Duration;

use flotilla_sockets::show_progress;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// A connection without traffic is asked for a sign of life after this.
const IDLE: Duration = Duration::from_secs(10);
/// Then so often.
const INTERVAL: Duration = Duration::from_secs(5);
/// So many times.
const PROBES: u32 = 3;

/// Bytes that a replica does not confirm for this long end the connection.
pub(super) const REPLICA: Duration = Duration::from_secs(10);
/// The same for clients, whose networks are worse; a client that takes nothing of its answer for as long, too.
pub(super) const CLIENT: Duration = Duration::from_secs(30);

/// Answers at once, progress of slow peers, keepalive, and the bound on bytes that nobody confirms (TCP_USER_TIMEOUT).
pub(super) fn prepare(stream: &TcpStream, unconfirmed: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    show_progress(stream);
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(IDLE).with_interval(INTERVAL).with_retries(PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(unconfirmed))?;
    #[cfg(not(target_os = "linux"))]
    let _ = unconfirmed;
    Ok(())
}
