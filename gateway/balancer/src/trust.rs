//! Which proxies before the gateway may say who the client is.

use std::net::IpAddr;

/// Addresses with a common beginning, `10.0.0.0/8`; one address without a slash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A network that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "\"{text}\" is no network: write an address and how many of its bits count, for example 10.0.0.0/8 or fd00::/8"
)]
pub struct BadNetwork {
    text: String,
}

impl Network {
    /// True when an address is in it; IPv4 addresses may be written as IPv6 ones.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let rest = 32u32.saturating_sub(u32::from(self.bits));
                (u32::from(network) ^ u32::from(address)).checked_shr(rest).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let rest = 128u32.saturating_sub(u32::from(self.bits));
                (u128::from(network) ^ u128::from(address)).checked_shr(rest).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl std::str::FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Network, BadNetwork> {
        let bad = || BadNetwork { text: text.to_owned() };
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim().parse().map_err(|_| bad())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.trim().parse().ok().filter(|bits| *bits <= width).ok_or_else(bad)?,
            None => width,
        };
        Ok(Network { address, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_their_networks() {
        let inside =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(inside("10.0.0.0/8", "10.200.1.1") && inside("10.0.0.0/8", "::ffff:10.1.1.1"));
        assert!(inside("0.0.0.0/0", "8.8.8.8") && inside("fd00::/8", "fd12::1") && inside("10.1.1.1", "10.1.1.1"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1") && !inside("10.1.1.1", "10.1.1.2") && !inside("::/0", "10.1.1.1"));
        for bad in ["", "10.0.0.0/33", "loopback", "10.0.0/8", "::/x"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
