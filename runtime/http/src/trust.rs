//! Whose X-Forwarded-* headers count: setting `trustProxy`, which means what Express's `trust proxy` means.

use std::net::IpAddr;

use serde_json::Value as Json;

/// The proxies that are trusted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trust {
    /// Everyone: `true`.
    All,
    /// So many, counted from this server: a number.
    Hops(usize),
    /// Those in these networks: addresses, `10.0.0.0/8`, `loopback`, `linklocal`, `uniquelocal`.
    Networks(Vec<(IpAddr, u8)>),
}

/// Who stands behind a connection. The texts of the addresses stay in the header until a flow asks for them.
pub(super) struct Chain {
    /// The peer's own X-Forwarded-Host and X-Forwarded-Proto count.
    pub(super) trusts_peer: bool,
    /// So many addresses of X-Forwarded-For count, from its end.
    pub(super) earlier: usize,
    /// The last address that counts; `None`: it is no address.
    pub(super) client: Option<IpAddr>,
}

const LOOPBACK: &[&str] = &["127.0.0.1/8", "::1/128"];
const LINK_LOCAL: &[&str] = &["169.254.0.0/16", "fe80::/10"];
const UNIQUE_LOCAL: &[&str] = &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// The addresses of an X-Forwarded-For header, nearest first.
pub(super) fn earlier(forwarded_for: &str) -> impl Iterator<Item = &str> {
    forwarded_for.rsplit(',').map(str::trim).filter(|address| !address.is_empty())
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(width), |bits| bits.parse().ok()).filter(|bits| *bits <= width)?;
    Some((address, bits))
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

impl Trust {
    /// From the setting. Without one nobody is trusted; in a group, whose requests come through the gateway, the gateway on
    /// the same machine is. What cannot be read is trusted by nobody.
    pub(super) fn of(setting: Option<&Json>, in_group: bool) -> Trust {
        let names: Vec<&str> = match setting {
            None if in_group => vec!["loopback"],
            Some(Json::Bool(true)) => return Trust::All,
            Some(Json::Number(hops)) => return Trust::Hops(hops.as_u64().unwrap_or(0) as usize),
            Some(Json::String(list)) => list.split(',').map(str::trim).collect(),
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        let networks = names.into_iter().flat_map(|name| match name {
            "loopback" => LOOPBACK.to_vec(),
            "linklocal" => LINK_LOCAL.to_vec(),
            "uniquelocal" => UNIQUE_LOCAL.to_vec(),
            other => vec![other],
        });
        Trust::Networks(networks.filter_map(network).collect())
    }

    /// False when nobody is trusted.
    pub(super) fn is_any(&self) -> bool {
        match self {
            Trust::All => true,
            Trust::Hops(hops) => *hops > 0,
            Trust::Networks(networks) => !networks.is_empty(),
        }
    }

    /// Whether an address is a proxy that is trusted; `hop` 0 is the peer itself.
    fn trusts(&self, address: Option<IpAddr>, hop: usize) -> bool {
        match self {
            Trust::All => true,
            Trust::Hops(hops) => hop < *hops,
            Trust::Networks(networks) => {
                let Some(address) = address else { return false };
                let (address, width) = bits(address);
                networks.iter().any(|(network, prefix)| {
                    let (network, network_width) = bits(*network);
                    let rest = network_width.saturating_sub(u32::from(*prefix));
                    width == network_width
                        && address.checked_shr(rest).unwrap_or(0) == network.checked_shr(rest).unwrap_or(0)
                })
            }
        }
    }

    /// The peer and those before it as X-Forwarded-For names them, nearest first, up to the first that is no trusted proxy:
    /// that is the client. What is left of it may be made up by the client.
    pub(super) fn chain(&self, peer: IpAddr, forwarded_for: &str) -> Chain {
        let trusts_peer = self.trusts(Some(peer), 0);
        let mut chain = Chain { trusts_peer, earlier: 0, client: Some(peer) };
        if trusts_peer {
            for address in earlier(forwarded_for) {
                chain.earlier += 1;
                chain.client = address.parse().ok();
                if !self.trusts(chain.client, chain.earlier) {
                    break;
                }
            }
        }
        chain
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn client(setting: Option<Json>, peer: &str, header: &str) -> String {
        let peer: IpAddr = peer.parse().unwrap();
        let chain = Trust::of(setting.as_ref(), false).chain(peer, header);
        assert_eq!(chain.trusts_peer, chain.earlier > 0);
        assert!(Trust::of(setting.as_ref(), false).is_any() || !chain.trusts_peer);
        let client = chain.earlier.checked_sub(1).and_then(|last| earlier(header).nth(last));
        assert_eq!(chain.client, client.map_or(Some(peer), |client| client.parse().ok()));
        client.map_or(peer.to_string(), str::to_owned)
    }

    #[test]
    fn only_what_is_configured_is_trusted() {
        let header = "6.6.6.6, 9.9.9.9, 10.0.0.2";
        assert_eq!(client(None, "127.0.0.1", header), "127.0.0.1");
        assert_eq!(client(Some(json!(false)), "127.0.0.1", header), "127.0.0.1");
        assert_eq!(client(Some(json!(true)), "1.1.1.1", header), "6.6.6.6");
        assert_eq!(client(Some(json!(1)), "1.1.1.1", header), "10.0.0.2");
        assert_eq!(client(Some(json!("loopback, 10.0.0.0/8")), "::1", header), "9.9.9.9");
        assert_eq!(client(Some(json!(["uniquelocal", "9.9.9.9"])), "::ffff:10.1.1.1", header), "6.6.6.6");
        assert_eq!(client(Some(json!("nonsense")), "10.0.0.1", header), "10.0.0.1");
        assert_eq!(client(Some(json!(["10.0.0.2"])), "10.0.0.2", "a, unknown"), "unknown");
        assert_eq!(client(Some(json!(true)), "1.1.1.1", "a, unknown"), "a");
        let in_group = Trust::of(None, true).chain("127.0.0.1".parse().unwrap(), header);
        assert_eq!((in_group.earlier, in_group.client), (1, Some("10.0.0.2".parse().unwrap())));
    }
}
