//! Which address others reach this replica at.

use std::net::{IpAddr, SocketAddr, UdpSocket};

/// An address that is routed like any other, and that nobody has (RFC 5737).
const NOBODY: &str = "192.0.2.1:9";

/// The address at which others reach what listens on `bound`: that itself, or, if it stands for all addresses of this
/// machine (`0.0.0.0`, `[::]`), the one that it sends from by default. Containers get theirs in this way. `None` on a
/// machine without any but loopback.
pub(super) fn advertised(bound: SocketAddr) -> Option<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return Some(bound);
    }
    let ip = sends_from().or_else(|| {
        let all = if_addrs::get_if_addrs().unwrap_or_default();
        first_outside(all.iter().map(if_addrs::Interface::ip))
    });
    Some(SocketAddr::new(ip?, bound.port()))
}

/// The address for the registry. `None` for loopback when the store is elsewhere: gateways on other machines read it there.
pub(super) fn reachable(bound: SocketAddr, store_is_elsewhere: bool) -> Option<SocketAddr> {
    advertised(bound).filter(|address| !(store_is_elsewhere && address.ip().is_loopback()))
}

/// The address that packets without a route of their own leave from. Sends nothing: connecting a UDP socket only asks the
/// routing table, which fails in a network that leads nowhere (`internal: true`).
fn sends_from() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect(NOBODY).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

/// The first address that is neither loopback nor good for one cable only; IPv4 before IPv6.
fn first_outside(all: impl Iterator<Item = IpAddr>) -> Option<IpAddr> {
    let local = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
    };
    all.filter(|ip| !local(ip)).min_by_key(IpAddr::is_ipv6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_advertised_as_it_is() {
        let bound: SocketAddr = "127.0.0.1:1880".parse().unwrap();
        assert_eq!(advertised(bound), Some(bound));
    }

    #[test]
    fn loopback_is_for_groups_of_one_machine() {
        let bound: SocketAddr = "127.0.0.1:1880".parse().unwrap();
        assert_eq!((reachable(bound, false), reachable(bound, true)), (Some(bound), None));
    }

    #[test]
    fn all_addresses_are_advertised_as_one_that_can_be_reached() {
        let Some(shown) = advertised("0.0.0.0:1880".parse().unwrap()) else { return };
        assert!(!shown.ip().is_unspecified() && !shown.ip().is_loopback(), "{shown}");
        assert_eq!(shown.port(), 1880);
    }

    #[test]
    fn loopback_and_link_local_addresses_are_passed_over() {
        let all = ["127.0.0.1", "169.254.3.4", "fe80::1", "fd00::2", "172.18.0.3", "172.19.0.2"];
        let found = |all: &[&str]| first_outside(all.iter().map(|ip| ip.parse().unwrap()));
        assert_eq!(found(&all), "172.18.0.3".parse().ok());
        assert_eq!(found(&all[..4]), "fd00::2".parse().ok());
        assert_eq!(found(&all[..3]), None);
    }
}
