//! What reaches beyond the flow: connections that every replica makes, requests to the flow itself, waits that outlast a drain.

use crate::document::{Document, NodeConfig};
use crate::problem::Severity::Warning;

use super::finding::Says;
use super::rules::one;

/// Seconds that a replica has to finish when it stops: the default of `--drain-timeout`.
const DRAIN: f64 = 15.0;

/// A connection to a server that sends by itself.
pub(super) fn client() -> Vec<Says> {
    one(
        Warning,
        "client",
        "every replica connects on its own: each gets everything that the server sends",
        "run this flow with --replicas 1, or let a separate flow connect and publish by MQTT what it gets",
    )
}

/// A request to where Node-RED serves the flow's own HTTP nodes.
pub(super) fn own_port(document: &Document, node: &NodeConfig) -> Vec<Says> {
    let url = node.str("url");
    let Some(path) = own_path(url) else { return Vec::new() };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let own = |entry: &&NodeConfig| entry.kind == "http in" && !entry.disabled && same_path(entry.str("url"), path);
    let served = document.entries().iter().find(own);
    let what = "it asks port 1880 of the machine that its replica runs on: somebody listens there only where the gateway \
                does, and any replica answers";
    let instead = match served {
        Some(entry) => format!("call that flow with a link call instead (http in \"{}\"), or put", entry.str("url")),
        None => "put".to_owned(),
    };
    let advice = format!(
        "{instead} the gateway's address into a variable: ${{GATEWAY}}{path} here, and flotilla env set GATEWAY=http://HOST:1880"
    );
    one(Warning, "own-port", what, &advice)
}

fn own_path(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or(url);
    let here = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"].iter().find_map(|host| rest.strip_prefix(host))?;
    let path = here.strip_prefix(":1880")?;
    (path.is_empty() || path.starts_with(['/', '?'])).then_some(path)
}

fn same_path(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut asked) = (pattern.trim_matches('/').split('/'), path.trim_matches('/').split('/'));
    loop {
        match (wanted.next(), asked.next()) {
            (None, None) => return true,
            (Some(part), Some(own)) if part.starts_with(':') || part == own => {}
            _ => return false,
        }
    }
}

/// A delay that outlasts the drain of its replica.
pub(super) fn outlasts_drain(node: &NodeConfig) -> Vec<Says> {
    let (amount, unit) = match node.str("pauseType") {
        "delay" => (node.num("timeout"), node.str("timeoutUnits")),
        "random" => (node.num("randomLast"), node.str("randomUnits")),
        _ => return Vec::new(),
    };
    let seconds = amount.unwrap_or(0.0)
        * match unit {
            "milliseconds" => 0.001,
            "minutes" => 60.0,
            "hours" => 3600.0,
            "days" => 86400.0,
            _ => 1.0,
        };
    if seconds <= DRAIN {
        return Vec::new();
    }
    let what = format!(
        "a replica that stops waits {DRAIN} s for what it holds, and this node holds messages for up to {seconds} s: what came by \
         MQTT at QoS 1 or 2 begins anew at another replica, what came otherwise is lost"
    );
    let advice =
        format!("start replicas with --drain-timeout {}, or keep when it is due in shared context", seconds + 10.0);
    one(Warning, "outlasts-drain", &what, &advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn codes(nodes: serde_json::Value) -> Vec<String> {
        let document = Document::from_value(nodes).unwrap();
        let findings = crate::review(&document);
        findings.into_iter().map(|finding| format!("{} {}", finding.code, finding.node)).collect()
    }

    #[test]
    fn requests_to_the_flows_own_port_are_found() {
        for (url, found) in [
            ("http://localhost:1880/api/5?x=1", true),
            ("127.0.0.1:1880", true),
            ("https://[::1]:1880/", true),
            ("http://localhost:18800/", false),
            ("http://localhost:8080/", false),
            ("http://example.com:1880/", false),
        ] {
            let nodes = json!([{"id":"n","type":"http request","url":url},
                {"id":"i","type":"http in","url":"/api/:id","wires":[["r"]]},{"id":"r","type":"http response"}]);
            assert_eq!(codes(nodes).contains(&"own-port n".to_owned()), found, "{url}");
        }
        assert!(same_path("/api/:id", "/api/5") && !same_path("/api/:id", "/api") && same_path("a/b", "/a/b/"));
    }

    #[test]
    fn only_delays_longer_than_a_drain_outlast_it() {
        for (node, found) in [
            (json!({"id":"n","type":"delay","pauseType":"delay","timeout":"5","timeoutUnits":"minutes"}), true),
            (json!({"id":"n","type":"delay","pauseType":"delay","timeout":"15","timeoutUnits":"seconds"}), false),
            (json!({"id":"n","type":"delay","pauseType":"random","randomLast":"1","randomUnits":"hours"}), true),
            (json!({"id":"n","type":"delay","pauseType":"rate","timeout":"5","timeoutUnits":"minutes"}), false),
        ] {
            assert_eq!(codes(json!([node.clone()])).contains(&"outlasts-drain n".to_owned()), found, "{node}");
        }
    }
}
