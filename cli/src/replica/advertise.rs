//! Which address others reach this replica at.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use flotilla_gateway::balancer::{BadNetwork, Network};

/// An address that is routed like any other, and that nobody has (RFC 5737).
const NOBODY: &str = "192.0.2.1:9";

/// What users say of the address that others reach a replica at.
#[derive(Clone, Copy, Debug)]
pub enum Advertise {
    /// It is this one.
    At(SocketAddr),
    /// It is this machine's own in a network.
    In(Network),
}

/// Reads `HOST:PORT` or `ADDRESS/BITS`.
pub fn advertise(text: &str) -> Result<Advertise, String> {
    if text.contains('/') {
        return text.parse().map(Advertise::In).map_err(|error: BadNetwork| error.to_string());
    }
    crate::address::resolve(text).map(Advertise::At)
}

/// The address at which others reach what listens on `bound`: that itself, or, if it stands for all addresses of this
/// machine (`0.0.0.0`, `[::]`), its own in the network that users say, or else the one that it sends from by default.
/// Containers get theirs in this way. `None` on a machine without any but loopback, or without one in that network.
pub(super) fn advertised(bound: SocketAddr, said: Option<Advertise>) -> Option<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return Some(bound);
    }
    let own = || if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip());
    let ip = match said {
        Some(Advertise::In(network)) => own().find(|ip| network.contains(*ip)),
        _ => sends_from().or_else(|| first_outside(own())),
    };
    Some(SocketAddr::new(ip?, bound.port()))
}

/// The address for the registry. `None` for loopback when the store is elsewhere: gateways on other machines read it there.
pub(super) fn reachable(bound: SocketAddr, said: Option<Advertise>, store_is_elsewhere: bool) -> Option<SocketAddr> {
    advertised(bound, said).filter(|address| !(store_is_elsewhere && address.ip().is_loopback()))
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
        assert_eq!(advertised(bound, None), Some(bound));
    }

    #[test]
    fn loopback_is_for_groups_of_one_machine() {
        let bound: SocketAddr = "127.0.0.1:1880".parse().unwrap();
        assert_eq!((reachable(bound, None, false), reachable(bound, None, true)), (Some(bound), None));
    }

    #[test]
    fn all_addresses_are_advertised_as_one_that_can_be_reached() {
        let Some(shown) = advertised("0.0.0.0:1880".parse().unwrap(), None) else { return };
        assert!(!shown.ip().is_unspecified() && !shown.ip().is_loopback(), "{shown}");
        assert_eq!(shown.port(), 1880);
    }

    #[test]
    fn the_address_in_a_network_is_taken_when_users_say_which() {
        let said = |text: &str| Some(advertise(text).unwrap());
        let bound: SocketAddr = "0.0.0.0:1880".parse().unwrap();
        assert_eq!(advertised(bound, said("127.0.0.0/8")), Some("127.0.0.1:1880".parse().unwrap()));
        assert_eq!(advertised(bound, said("203.0.113.0/24")), None, "nobody is in it (RFC 5737)");
        assert!(advertise("10.0.0.0/33").unwrap_err().contains("10.0.0.0/33"));
        assert!(matches!(advertise("127.0.0.1:80"), Ok(Advertise::At(_))));
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
