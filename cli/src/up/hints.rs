//! What to try next: lines that work as printed, made from the flow itself.

use std::net::SocketAddr;

use flotilla_flows::{Document, NodeConfig};

/// A line that publishes for an mqtt in node, at the broker of that node, and a `curl` line for the first http in node
/// that asks for GET (or the first of any method), else for the admin API. `publisher`: [`publisher`]; `http`: scheme, address
/// and root of the HTTP nodes.
pub fn hints(document: &Document, publisher: &str, mqtt: Option<SocketAddr>, http: &str, admin: &str) -> Vec<String> {
    let live = |kind: &'static str| {
        document.entries().iter().filter(move |node| {
            node.kind == kind && !node.disabled && !document.get(&node.z).is_some_and(|tab| tab.disabled)
        })
    };
    let subscriptions = live("mqtt in").filter(|node| !node.str("topic").is_empty());
    let mut reached: Vec<_> =
        subscriptions.filter_map(|node| Some((door(document.get(node.str("broker"))?)?, node))).collect();
    // The broker that `up` started comes first: it is there, and asks for no password.
    reached.sort_by_key(|(door, _)| !mqtt.is_some_and(|ours| is_ours(door, ours)));
    let publish = reached.first().map(|((host, port), node)| {
        let (topic, payload) = (concrete(node.str("topic")), payload(node));
        format!("{publisher} -h {host} -p {port} -q 1 -t '{topic}' -m '{payload}'")
    });
    let gets = live("http in").find(|node| node.str("method") == "get");
    let request = gets.or_else(|| live("http in").next()).map(|node| {
        let method = node.str("method").to_uppercase();
        let method = if method.is_empty() || method == "GET" { String::new() } else { format!("-X {method} ") };
        format!("curl -i {}{method}{http}{}", unchecked(http), path(node.str("url")))
    });
    let request = request.unwrap_or_else(|| format!("curl -i {}{admin}/readyz", unchecked(admin)));
    publish.into_iter().chain([request]).collect()
}

/// A certificate for 127.0.0.1 is rare.
fn unchecked(url: &str) -> &'static str {
    if url.starts_with("https:") { "-k " } else { "" }
}

/// What publishes on this machine: `mosquitto_pub` where it is installed, else `flotilla pub`, which takes the same flags.
pub fn publisher() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join("mosquitto_pub").is_file()) {
        return "mosquitto_pub".to_owned();
    }
    let found = |folder: std::path::PathBuf| folder.join("flotilla").is_file();
    if std::env::split_paths(&path).any(found) {
        return "flotilla pub".to_owned();
    }
    // Not installed, but it runs: where it is.
    let own = std::env::current_exe().map_or_else(|_| "flotilla".to_owned(), |path| path.display().to_string());
    let plain = own.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if plain { format!("{own} pub") } else { format!("'{}' pub", own.replace('\'', "'\\''")) }
}

/// Host and port of a broker node, if a plain `mosquitto_pub` reaches it: no TLS, no WebSocket, no password, no variables.
pub(super) fn door(broker: &NodeConfig) -> Option<(String, u16)> {
    let host = broker.str("broker");
    if broker.bool("usetls") || broker.disabled || host.contains("${") {
        return None;
    }
    let (host, port) = match host.split_once("://") {
        Some(("mqtt" | "tcp", rest)) => match rest.trim_end_matches('/').rsplit_once(':') {
            Some((host, port)) => (host.to_owned(), port.to_owned()),
            None => (rest.trim_end_matches('/').to_owned(), String::new()),
        },
        Some(_) => return None,
        None => (host.to_owned(), broker.string_of("port")),
    };
    if host.contains(['@', '/', '\'', ' ', '[']) {
        return None;
    }
    let host = if host.is_empty() { "localhost".to_owned() } else { host };
    let port = if port.is_empty() { 1883 } else { port.parse().ok()? };
    Some((host, port))
}

/// True for the address at which the embedded broker listens.
fn is_ours((host, port): &(String, u16), ours: SocketAddr) -> bool {
    let local =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip == ours.ip());
    local && *port == ours.port()
}

/// A topic that the filter matches.
fn concrete(filter: &str) -> String {
    let filter = match filter.strip_prefix("$share/") {
        Some(rest) => rest.split_once('/').map_or(rest, |(_, filter)| filter),
        None => filter,
    };
    let level = |(at, level): (usize, &str)| match level {
        "+" | "#" => format!("test{}", at + 1),
        other => other.to_owned(),
    };
    filter.split('/').enumerate().map(level).collect::<Vec<_>>().join("/")
}

/// A payload that a node which parses JSON takes.
fn payload(node: &NodeConfig) -> &'static str {
    match node.str("datatype") {
        "json" => r#"{"value":21.5}"#,
        _ => "21.5",
    }
}

/// A path that the pattern matches.
fn path(pattern: &str) -> String {
    let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/{pattern}") };
    let part = |part: &str| match part.strip_prefix(':') {
        Some(name) => name.trim_end_matches(['?', '*', '+']).to_owned(),
        None => part.to_owned(),
    };
    pattern.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_the_flow() {
        let document = Document::parse(
            r#"[{"id":"a","type":"mqtt in","topic":"plant/+/temperature","datatype":"json","broker":"m"},
            {"id":"m","type":"mqtt-broker","broker":"127.0.0.1","port":"1883"},
            {"id":"b","type":"http in","url":"/hits/:name","method":"get"}]"#,
        )
        .unwrap();
        let lines = hints(
            &document,
            "flotilla pub",
            Some(([127, 0, 0, 1], 1883).into()),
            "http://127.0.0.1:1880/api",
            "http://127.0.0.1:1881",
        );
        assert_eq!(
            lines,
            [
                r#"flotilla pub -h 127.0.0.1 -p 1883 -q 1 -t 'plant/test2/temperature' -m '{"value":21.5}'"#,
                "curl -i http://127.0.0.1:1880/api/hits/name",
            ]
        );
    }

    #[test]
    fn the_line_reaches_the_broker_of_the_node() {
        let line = |brokers: [(&str, &str); 2]| {
            let mut nodes = Vec::new();
            for (at, (host, port)) in brokers.iter().enumerate() {
                nodes.push(
                    serde_json::json!({"id": format!("m{at}"), "type": "mqtt-broker", "broker": host, "port": port}),
                );
                let broker = format!("m{at}");
                nodes.push(
                    serde_json::json!({"id": format!("i{at}"), "type": "mqtt in", "topic": "t", "broker": broker}),
                );
            }
            let document = Document::from_value(nodes.into()).unwrap();
            let mqtt = ([127, 0, 0, 1], 1883).into();
            hints(&document, "mosquitto_pub", Some(mqtt), "https://127.0.0.1:1880", "http://127.0.0.1:1881")[0].clone()
        };
        let far = ("broker-a.example", "1884");
        assert_eq!(
            line([far, ("x.example", "1883")]),
            "mosquitto_pub -h broker-a.example -p 1884 -q 1 -t 't' -m '21.5'"
        );
        assert_eq!(line([far, ("localhost", "1883")]), "mosquitto_pub -h localhost -p 1883 -q 1 -t 't' -m '21.5'");
        assert!(line([("wss://a.example", "443"), ("${BROKER}", "1883")]).starts_with("curl"));
    }
}
