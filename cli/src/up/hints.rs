//! What to try next: lines that work as printed, made from the flow itself.

use std::net::SocketAddr;

use flotilla_flows::{Document, NodeConfig};

/// A `mosquitto_pub` line for the first mqtt in node and a `curl` line for the first http in node that asks for GET (or
/// the first of any method), else for the admin API.
pub fn hints(document: &Document, mqtt: Option<SocketAddr>, http: SocketAddr, admin: SocketAddr) -> Vec<String> {
    let live = |kind: &'static str| {
        document.entries().iter().filter(move |node| {
            node.kind == kind && !node.disabled && !document.get(&node.z).is_some_and(|tab| tab.disabled)
        })
    };
    let subscription = live("mqtt in").find(|node| !node.str("topic").is_empty());
    let publish = mqtt.zip(subscription).map(|(address, node)| {
        format!(
            "mosquitto_pub -h {} -p {} -q 1 -t '{}' -m '{}'",
            address.ip(),
            address.port(),
            concrete(node.str("topic")),
            payload(node)
        )
    });
    let gets = live("http in").find(|node| node.str("method") == "get");
    let request = gets.or_else(|| live("http in").next()).map(|node| {
        let method = node.str("method").to_uppercase();
        let method = if method.is_empty() || method == "GET" { String::new() } else { format!("-X {method} ") };
        format!("curl -i {method}http://{http}{}", path(node.str("url")))
    });
    let request = request.unwrap_or_else(|| format!("curl -i http://{admin}/api/v1/status"));
    publish.into_iter().chain([request]).collect()
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
            r#"[{"id":"a","type":"mqtt in","topic":"plant/+/temperature","datatype":"json"},
            {"id":"b","type":"http in","url":"/hits/:name","method":"get"}]"#,
        )
        .unwrap();
        let lines = hints(
            &document,
            Some(([127, 0, 0, 1], 1883).into()),
            ([127, 0, 0, 1], 1880).into(),
            ([127, 0, 0, 1], 1881).into(),
        );
        assert_eq!(
            lines,
            [
                r#"mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -t 'plant/test2/temperature' -m '{"value":21.5}'"#,
                "curl -i http://127.0.0.1:1880/hits/name",
            ]
        );
    }
}
