//! Which headers go on, and which the gateway sets.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use super::trust::Network;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HTTP: HeaderValue = HeaderValue::from_static("http");
const HTTPS: HeaderValue = HeaderValue::from_static("https");

/// A client's address, and as X-Forwarded-For has it.
pub(super) struct Address {
    ip: IpAddr,
    text: HeaderValue,
}

impl Address {
    pub(super) fn new(ip: IpAddr) -> Address {
        let text = HeaderValue::try_from(ip.to_canonical().to_string());
        // The word of RFC 7239; an address is always a header value.
        Address { ip, text: text.unwrap_or(HeaderValue::from_static("unknown")) }
    }
}

/// Removes what belongs to one connection only, in both directions: RFC 9110, section 7.6.1.
pub(super) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    // One look at all: most messages have none of them, and looking for each would hash seven names.
    if !headers.keys().any(is_hop_by_hop) {
        return;
    }
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
            // Those say how the message is to be read; nobody can have them taken away.
            .filter(|name| name != HOST && name != hyper::header::CONTENT_LENGTH)
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    for name in [KEEP_ALIVE, PROXY_CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer" | "transfer-encoding" | "upgrade"
    )
}

/// Makes a client's headers those of the gateway's request to a replica.
/// `secure`: the client's connection has TLS.
pub(super) fn prepare(
    headers: &mut HeaderMap,
    client: &Address,
    trusted: &[Network],
    gateway: SocketAddr,
    secure: bool,
) {
    strip_hop_by_hop(headers);
    headers.remove(PROXY_AUTHORIZATION);
    let trusted = trusted.iter().any(|network| network.contains(client.ip));
    if !trusted {
        forget_forwarded(headers);
    }
    // HTTP/1.0 needs none, HTTP/1.1 does.
    let mut host = headers.get(HOST).cloned();
    if host.is_none()
        && let Ok(own) = HeaderValue::from_str(&gateway.to_string())
    {
        headers.insert(HOST, own.clone());
        host = Some(own);
    }
    if trusted && headers.contains_key(X_FORWARDED_FOR) {
        let earlier = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let chain = earlier.fold(String::new(), |chain, earlier| chain + earlier + ", ");
        if let Ok(chain) = HeaderValue::try_from(chain + client.text.to_str().unwrap_or_default()) {
            headers.insert(X_FORWARDED_FOR, chain);
        }
    } else {
        headers.insert(X_FORWARDED_FOR, client.text.clone());
    }
    if let Some(host) = host {
        headers.entry(X_FORWARDED_HOST).or_insert(host);
    }
    headers.entry(X_FORWARDED_PROTO).or_insert(if secure { HTTPS } else { HTTP });
}

/// Removes what a client says of where it comes from. One that also sent `Forwarded` gets the gateway's in its place.
fn forget_forwarded(headers: &mut HeaderMap) {
    let forged = |name: &&HeaderName| {
        let name = name.as_str();
        name.starts_with("x-forwarded-") || matches!(name, "x-real-ip" | "forwarded")
    };
    let names: Vec<HeaderName> = headers.keys().filter(forged).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(headers: &[(&'static str, &'static str)], client: &str, trusted: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let trusted: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        prepare(&mut map, &Address::new(client.parse().unwrap()), &trusted, ([127, 0, 0, 1], 80).into(), false);
        map
    }

    const FORGED: [(&str, &str); 6] = [
        ("host", "a.example"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-user", "root"),
        ("x-real-ip", "6.6.6.6"),
        ("forwarded", "for=6.6.6.6"),
    ];

    #[test]
    fn what_a_stranger_says_of_itself_is_replaced() {
        let map = sent(&FORGED, "9.9.9.9", &["10.0.0.0/8"]);
        assert_eq!(map["x-forwarded-for"], "9.9.9.9");
        assert_eq!((&map["x-forwarded-host"], &map["x-forwarded-proto"]), (&"a.example".parse().unwrap(), &HTTP));
        assert!(["x-forwarded-user", "x-real-ip", "forwarded"].iter().all(|name| !map.contains_key(*name)));
    }

    #[test]
    fn what_a_trusted_proxy_says_stays() {
        let map = sent(&FORGED, "10.1.1.1", &["10.0.0.0/8"]);
        assert_eq!(map["x-forwarded-for"], "6.6.6.6, 10.1.1.1");
        assert_eq!(map["x-forwarded-proto"], "https");
        assert_eq!(map["forwarded"], "for=6.6.6.6");
    }

    #[test]
    fn each_header_of_one_connection_is_found_alone() {
        for name in [KEEP_ALIVE, PROXY_CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, CONNECTION] {
            let mut map = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("x")), (HOST, HTTP)]);
            strip_hop_by_hop(&mut map);
            assert!(map.len() == 1 && map.contains_key(HOST), "{name}");
        }
    }

    #[test]
    fn a_client_is_named_by_its_own_address() {
        assert_eq!(sent(&[("host", "a")], "::ffff:9.9.9.9", &[])["x-forwarded-for"], "9.9.9.9");
        assert_eq!(sent(&[("host", "a")], "9.9.9.9", &["0.0.0.0/0"])["x-forwarded-for"], "9.9.9.9");
        let two = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")];
        assert_eq!(sent(&two, "9.9.9.9", &["0.0.0.0/0"])["x-forwarded-for"], "1.1.1.1, 2.2.2.2, 9.9.9.9");
        let without_host = sent(&[], "9.9.9.9", &[]);
        assert!(["host", "x-forwarded-host"].iter().all(|name| without_host[*name] == "127.0.0.1:80"));
    }

    #[test]
    fn headers_of_one_connection_go_no_further() {
        let map = sent(
            &[
                ("host", "a"),
                ("connection", "close, X-Secret, content-length, host"),
                ("x-secret", "1"),
                ("content-length", "0"),
                ("keep-alive", "5"),
                ("te", "trailers"),
                ("proxy-authorization", "Basic eA=="),
                ("x-kept", "1"),
            ],
            "9.9.9.9",
            &[],
        );
        let mut names: Vec<_> = map.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["content-length", "host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-kept"]
        );
    }
}
