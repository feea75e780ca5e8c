//! What does the work of a type that is not here.

/// Types as in [`super::package_table`], and what to use in their place. Where a node of a package does more than ours (a sun's
/// position, a picture), it is not in this list.
const INSTEAD: &[(&[&str], &str)] = &[
    (
        &["mytimeout", "stoptimer", "stoptimer-varidelay", "stoptimer2", "stoptimer3"],
        "a trigger node: it sends at once, and again when no message came for a time; msg.reset stops it",
    ),
    (&["msg-resend"], "a trigger node that resends every so often until msg.reset"),
    (&["countdown", "controltimer"], "a trigger node, for what is sent at the end"),
    (
        &["cron", "cronplus", "schedex", "simpletime", "timerswitch"],
        "an inject node that repeats at times (cron): each tick runs once in the group; sunrise and sunset are not known",
    ),
    (&["looptimer", "looptimer-advanced"], "a trigger node that resends, or a delay node wired back to the start"),
    (&["array-loop", "counter-loop", "while-loop"], "split and join, or a function node that loops"),
    (&["digitaloak-mqtt-in"], "an mqtt in node with the action \"dynamic subscription\""),
    (&["aedes broker", "mosca in"], "Flotilla's own broker: flotilla up and flotilla broker have one"),
    (&["www-request"], "an http request node"),
    (&["actionflows*"], "link call and link in nodes"),
    (
        &["key-value-read", "key-value-store", "key-value-write"],
        "a change node that reads or sets flow or global context; a shared store keeps it for all replicas",
    ),
    (&["and-gate", "or-gate", "BooleanLogic"], "a join node (a key/value object) and a switch node"),
    (&["wait-paths"], "a join node that builds a key/value object after a number of messages"),
    (&["gate", "q-gate"], "a switch node that asks flow context; a delay node that holds messages until msg.flush"),
    (&["toggle", "counter", "cycle"], "a function node with a value in context"),
    (&["calculator"], "a change node with JSONata, or a function node"),
    (&["frequency", "interval-length", "rate", "time-comp", "weekday"], "a function node"),
    (
        &["within-time-switch", "time-range-switch"],
        "a switch node with JSONata ($now() with a time zone), where the sun is not asked",
    ),
    (&["deduplicate"], "a filter node, or a function node that keeps the last values in context"),
    (&["hysteresis", "threshold"], "a filter node (deadband), or a switch node that asks the previous value"),
    (&["aggregator", "statistics"], "a smooth node, or batch and a function node"),
    (&["base64"], "a change node with JSONata: $base64encode, $base64decode"),
    (&["moment"], "a change node with JSONata: $moment(), $fromMillis(millis, picture, timezone)"),
    (&["random"], "a change node with JSONata: $random()"),
    (&["string"], "a change node with JSONata, or a function node"),
    (&["jsonpath"], "a change node with JSONata"),
    (&["contrib-json"], "a json node"),
    (&["json-multi-schema-validator"], "a json node with a schema"),
    (&["buffer-maker", "buffer-parser", "splitter"], "a function node with Buffer"),
    (&["sqlbuilder"], "a template node"),
    (&["digest", "hmac"], "a function node with crypto (createHash, createHmac)"),
    (&["config", "credentials"], "the group's env and secrets, read with ${NAME} or env.get"),
    (&["tail"], "an exec node that runs tail -F, with the output as it comes"),
    (&["adv ping", "ping"], "an exec node that runs ping"),
    (&["CPUs", "Drives", "Loadavg", "Memory", "NetworkIntf", "OS", "Uptime", "cpu"], "an exec node"),
    (&["fs-ops-*"], "file and file in nodes, or an exec node"),
];

/// What does here what nodes of this type do in Node-RED, if something does.
pub fn instead(kind: &str) -> Option<&'static str> {
    let fits = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => kind == *pattern,
    };
    INSTEAD.iter().find(|(patterns, _)| patterns.iter().any(fits)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::super::{is_core_type, npm_package};
    use super::*;

    #[test]
    fn each_type_has_one_answer_and_its_package_is_known() {
        let mut seen = std::collections::HashSet::new();
        for pattern in INSTEAD.iter().flat_map(|(patterns, _)| *patterns) {
            assert!(seen.insert(pattern), "{pattern} stands twice");
            assert!(!is_core_type(pattern), "{pattern} is here");
            assert!(npm_package(pattern).is_some(), "{pattern} has no package");
        }
        assert_eq!(instead("no such thing"), None);
        assert_eq!(instead("www-request"), Some("an http request node"));
        assert!(instead("fs-ops-size").is_some());
    }
}
