//! The network interface that a node names.

use std::net::IpAddr;

use flotilla_engine::NodeCx;

/// An interface, by the address that it has in the node's family.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Interface {
    /// As the node has it: `eth0`, or an address.
    pub(super) name: String,
    pub(super) address: IpAddr,
    /// The system's number of it, which IPv6 groups are joined by; 0: the system chooses.
    pub(super) index: u32,
}

impl Interface {
    /// The node's `iface`. One that is not there is left out with a warning.
    pub(super) fn of(cx: &NodeCx, v6: bool) -> Option<Interface> {
        let name = cx.config().str("iface");
        if name.is_empty() {
            return None;
        }
        let own = name.parse::<IpAddr>().ok();
        let found = if_addrs::get_if_addrs().unwrap_or_default().into_iter().find(|known| match own {
            Some(address) => known.ip() == address,
            None => known.name == name && known.ip().is_ipv6() == v6,
        });
        let interface = match (found, own) {
            (Some(known), _) => Some((known.ip(), known.index.unwrap_or_default())),
            (None, Some(address)) => Some((address, 0)),
            (None, None) => None,
        };
        if interface.is_none() {
            cx.report().warn(cx.text("udp.errors.ifnotfound", &[("iface", name)]));
        }
        interface.map(|(address, index)| Interface { name: name.to_owned(), address, index })
    }

    /// What a status says of it.
    pub(super) fn label(&self) -> String {
        format!("{} : {}", self.name, self.address)
    }
}
