//! Making sockets.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use flotilla_engine::NodeCx;
use flotilla_nodes_core::io_code;

use super::interface::Interface;

/// How far multicasts go, as in Node-RED.
const MULTICAST_TTL: u32 = 128;

/// A socket on a port; 0: any free one.
///
/// Several nodes and processes may have the same port, as in Node-RED. The replicas of a group on one machine share it: the
/// system gives each its part of the datagrams.
pub(super) fn bind(port: u16, v6: bool, shared: bool) -> Result<UdpSocket, Error> {
    let (domain, any) = if v6 {
        (Domain::IPV6, IpAddr::V6(Ipv6Addr::UNSPECIFIED))
    } else {
        (Domain::IPV4, IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(shared)?;
    if v6 {
        socket.set_only_v6(false)?;
    }
    socket.bind(&SocketAddr::new(any, port).into())?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

/// Allows broadcasts, and keeps own multicasts from coming back.
pub(super) fn allow_broadcast(socket: &UdpSocket, v6: bool) -> Result<(), Error> {
    let socket = SockRef::from(socket);
    socket.set_broadcast(true)?;
    if v6 { socket.set_multicast_loop_v6(false) } else { socket.set_multicast_loop_v4(false) }
}

/// Joins a multicast group.
pub(super) fn join(socket: &UdpSocket, group: &str, interface: Option<&Interface>) -> Result<(), Error> {
    let socket = SockRef::from(socket);
    match group.parse::<IpAddr>() {
        Ok(IpAddr::V4(group)) => {
            socket.set_multicast_ttl_v4(MULTICAST_TTL)?;
            let own = match interface.map(|interface| interface.address) {
                Some(IpAddr::V4(address)) => address,
                _ => Ipv4Addr::UNSPECIFIED,
            };
            socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Address(own))
        }
        Ok(IpAddr::V6(group)) => {
            socket.set_multicast_hops_v6(MULTICAST_TTL)?;
            socket.join_multicast_v6(&group, interface.map_or(0, |interface| interface.index))
        }
        Err(_) => Err(Error::new(ErrorKind::InvalidInput, "no address of a multicast group")),
    }
}

/// Leaves a multicast group.
pub(super) fn leave(socket: &UdpSocket, group: &str, interface: Option<&Interface>) {
    // Leaving only saves work: a group that was not joined, or is gone with its interface, is left already.
    let _ = match group.parse::<IpAddr>() {
        Ok(IpAddr::V4(group)) => {
            let own = match interface.map(|interface| interface.address) {
                Some(IpAddr::V4(address)) => address,
                _ => Ipv4Addr::UNSPECIFIED,
            };
            socket.leave_multicast_v4(group, own)
        }
        Ok(IpAddr::V6(group)) => socket.leave_multicast_v6(&group, interface.map_or(0, |interface| interface.index)),
        Err(_) => Ok(()),
    };
}

/// Why a group cannot be joined, in words.
pub(super) fn multicast_error(cx: &NodeCx, error: &Error) -> String {
    match error.kind() {
        ErrorKind::InvalidInput => cx.text("udp.errors.bad-mcaddress", &[]),
        // ENODEV, which has no kind of its own.
        _ if error.raw_os_error() == Some(19) => cx.text("udp.errors.interface", &[]),
        _ => cx.text("udp.errors.error", &[("error", io_code(error))]),
    }
}
