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

/// What a record in the store says of where a broker is: scheme, user, host, port and path. Left out is the password, with all that
/// may be a part of it, and a query, which may hold a token.
pub(super) fn recorded(url: &str) -> String {
    let shown = shown_url(url);
    let end = shown.find(['?', '#']).unwrap_or(shown.len());
    let Some((scheme, rest)) = shown[..end].split_once("://") else { return shown[..end].to_owned() };
    // With an `@` behind the host, this may be no host.
    let place = rest.split_once('/').filter(|(_, path)| path.contains('@')).map_or(rest, |(host, _)| host);
    match user_of(url) {
        Some((user, _)) => format!("{scheme}://{user}@{place}"),
        None => format!("{scheme}://{place}"),
    }
}

/// The recorded URL with the password that the same user has in another.
pub(super) fn with_password_of(recorded: &str, other: &str) -> String {
    let (Some((user, "")), Some((same, password))) = (user_of(recorded), user_of(other)) else {
        return recorded.to_owned();
    };
    let parts = recorded.split_once("://");
    let parts = parts.and_then(|(scheme, rest)| Some((scheme, rest.strip_prefix(user)?.strip_prefix('@')?)));
    match parts {
        Some((scheme, place)) if user == same && !password.is_empty() => {
            format!("{scheme}://{user}:{password}@{place}")
        }
        _ => recorded.to_owned(),
    }
}

/// User and password, where it is clear which they are: the last `@` is before the host.
fn user_of(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest.rfind('@').filter(|at| *at < end)?;
    let who = &rest[..at];
    Some(who.split_once(':').unwrap_or((who, ""))).filter(|(user, _)| !user.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_names_the_broker_and_has_no_part_of_its_password() {
        for (url, record) in [
            ("mqtt://h:1883", "mqtt://h:1883"),
            ("mqtts://me:hunter2@h:8883", "mqtts://me@h:8883"),
            ("mqtt://me:hun@hunter2@[::1]:1884", "mqtt://me@[::1]:1884"),
            ("mqtt://me@h", "mqtt://me@h"),
            ("mqtt://:hunter2@h", "mqtt://h"),
            ("wss://me:hunter2@h/mqtt?token=hunter2#hunter2", "wss://me@h/mqtt"),
            ("mqtt://me:12/hunter2@h", "mqtt://h"),
            ("wss://me:12/hunter2@h", "wss://me:12"),
            ("me:hunter2@h:1883", "h:1883"),
        ] {
            assert_eq!(recorded(url), record, "{url}");
            assert_eq!(recorded(record), record, "a record stays as it is");
        }
    }

    #[test]
    fn a_record_gets_the_password_of_the_same_user_only() {
        let own = "mqtt://me:p@ss@new:1883";
        assert_eq!(with_password_of("mqtt://me@old:1883", own), "mqtt://me:p@ss@old:1883");
        assert_eq!(with_password_of("mqtt://you@old:1883", own), "mqtt://you@old:1883");
        assert_eq!(with_password_of("mqtt://old:1883", own), "mqtt://old:1883");
        assert_eq!(with_password_of("mqtt://me:older@old:1883", own), "mqtt://me:older@old:1883", "an old record");
        assert_eq!(with_password_of("mqtt://me@old:1883", "mqtt://me@new"), "mqtt://me@old:1883");
        assert_eq!(with_password_of("mqtt://me@corp@old", "mqtt://me@corp:pw@new"), "mqtt://me@corp:pw@old");
    }

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
