//! The broker's URL, as mqtt.js reads it.

use flotilla_flows::shown_url;

/// A URL's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BrokerUrl {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// For MQTT over WebSocket the URL of the handshake.
    pub(super) websocket: Option<String>,
    pub(super) user: Option<(String, String)>,
}

/// Reads `mqtt://`, `mqtts://`, `tcp://`, `ssl://`, `tls://`, `ws://` and `wss://`.
pub(super) fn parse(url: &str) -> Result<BrokerUrl, String> {
    // No message repeats user or password, nor what may be a part of them.
    let bad = |what: &str| format!("the broker url \"{}\" {what}", shown_url(url));
    let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("has no scheme: write mqtt://HOST:PORT"))?;
    let (tls, websocket, default) = match scheme.to_ascii_lowercase().as_str() {
        "mqtt" | "tcp" => (false, false, 1883),
        "mqtts" | "ssl" | "tls" => (true, false, 8883),
        "ws" => (false, true, 80),
        "wss" => (true, true, 443),
        _ => return Err(bad("has a scheme which is not one of MQTT's: mqtt, mqtts, tcp, ssl, tls, ws or wss")),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, authority),
    };
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match address.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let port = match port.filter(|port| !port.is_empty()) {
        Some(port) => port.parse().map_err(|_| {
            bad("has a port which is no number from 0 to 65535; in a password, / ? # and @ are written %2F %3F %23 and %40")
        })?,
        None => default,
    };
    let host = if host.is_empty() { "localhost" } else { host };
    let user = user.map(|user| user.split_once(':').unwrap_or((user, "")));
    Ok(BrokerUrl {
        host: host.to_owned(),
        port,
        tls,
        // The stream below is encrypted already, so the handshake itself is a plain one.
        websocket: websocket.then(|| format!("ws://{}", rest.rsplit_once('@').map_or(rest, |(_, rest)| rest))),
        user: user.map(|(name, password)| (name.to_owned(), password.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let url = parse("mqtt://me:pw@[::1]:1884").expect("a good url");
        assert_eq!((url.host.as_str(), url.port, url.tls), ("::1", 1884, false));
        assert_eq!(url.user, Some(("me".into(), "pw".into())));
        let url = parse("wss://h/mqtt").expect("a good url");
        assert_eq!((url.port, url.tls, url.websocket.as_deref()), (443, true, Some("ws://h/mqtt")));
        for bad in [
            "me:hunter2@h:1883",
            "http://me:hunter2@h",
            "me:hunter2://me@h",
            "mqtt://me:hunter2@h:x",
            "mqtt://me:hunter2/@h:1883",
            "mqtt://me:hun/hunter2@h",
        ] {
            let error = parse(bad).expect_err(bad);
            assert!(!error.contains("hunter2"), "{bad}: {error}");
        }
        assert!(parse("h:1883").is_err() && parse("http://h").is_err() && parse("mqtt://h:x").is_err());
    }
}
