//! Which headers go on, and which the gateway sets.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{
    CONNECTION, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};

use super::trust::Network;

/// Header lines of a message at most: what clients and flows may send, and what is added on the way.
pub(super) const MOST_HEADERS: usize = 192;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const HTTP: HeaderValue = HeaderValue::from_static("http");
const HTTPS: HeaderValue = HeaderValue::from_static("https");

/// Removes what belongs to one connection only, in both directions: RFC 9110, section 7.6.1.
pub(super) fn strip_hop_by_hop(headers: &mut HeaderMap) {
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

/// Makes a client's headers those of the gateway's request to a replica.
/// `secure`: the client's connection has TLS.
pub(super) fn prepare(headers: &mut HeaderMap, client: IpAddr, trusted: &[Network], gateway: SocketAddr, secure: bool) {
    strip_hop_by_hop(headers);
    headers.remove(PROXY_AUTHORIZATION);
    let trusted = trusted.iter().any(|network| network.contains(client));
    if !trusted {
        forget_forwarded(headers);
    }
    // HTTP/1.0 needs none, HTTP/1.1 does.
    if !headers.contains_key(HOST)
        && let Ok(host) = HeaderValue::from_str(&gateway.to_string())
    {
        headers.insert(HOST, host);
    }
    let client = client.to_canonical();
    let earlier = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let chain = earlier.fold(String::new(), |chain, earlier| chain + earlier + ", ") + &client.to_string();
    if let Ok(chain) = HeaderValue::try_from(chain) {
        headers.insert(X_FORWARDED_FOR, chain);
    }
    if let Some(host) = headers.get(HOST).cloned() {
        headers.entry(X_FORWARDED_HOST).or_insert(host);
    }
    headers.entry(X_FORWARDED_PROTO).or_insert(if secure { HTTPS } else { HTTP });
}

/// Removes what a client says of where it comes from. One that also sent `Forwarded` gets the gateway's in its place.
fn forget_forwarded(headers: &mut HeaderMap) {
    let forged = |name: &&HeaderName| name.as_str().starts_with("x-forwarded-") || **name == X_REAL_IP;
    let names: Vec<HeaderName> = headers.keys().filter(forged).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    headers.remove(FORWARDED);
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
        prepare(&mut map, client.parse().unwrap(), &trusted, ([127, 0, 0, 1], 80).into(), false);
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
