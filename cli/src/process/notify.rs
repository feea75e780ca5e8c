//! What systemd is told (`sd_notify(3)`): a unit of `Type=notify` counts as started when the group is ready.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The group is ready.
pub const READY: &str = "READY=1";
/// The group drains.
pub const STOPPING: &str = "STOPPING=1";

/// Tells the service manager, if there is one that asks (`NOTIFY_SOCKET`).
pub fn notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET").and_then(|path| path.into_string().ok()) else { return };
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    let sent = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::warn!(%error, path, "cannot tell the service manager {state}");
    }
}
