//! Fields with fixed choices. A value that is none of them is an error, never the default: a newer editor writes what this
//! version does not know.

use serde_json::Value;

use crate::document::NodeConfig;

/// A type, a field and the values that it may have; empty ones, and no texts, have a meaning of their own.
type Choice = (&'static str, &'static str, &'static [&'static str]);

const SPANS: &[&str] = &["milliseconds", "seconds", "minutes", "hours", "days"];
const FLAG: &[&str] = &["true", "false"];
const QOS: &[&str] = &["0", "1", "2"];
const BYTES: &[&str] = &["buffer", "utf8", "base64"];
const COMPARISONS: &[&str] = &[
    "eq",
    "neq",
    "lt",
    "lte",
    "gt",
    "gte",
    "btwn",
    "hask",
    "cont",
    "regex",
    "true",
    "false",
    "null",
    "nnull",
    "empty",
    "nempty",
    "istype",
    "head",
    "tail",
    "index",
    "jsonata_exp",
    "else",
];

/// Source: the editor's choices in Node-RED 4.1 and 5.0, and what their nodes and older exports know beyond them.
const CHOICES: &[Choice] = &[
    ("batch", "mode", &["count", "interval", "concat"]),
    ("change", "rules[].t", &["set", "change", "delete", "move"]),
    ("csv", "hdrout", &["none", "all", "once", "true", "false"]),
    ("csv", "multi", &["one", "mult", "yes"]),
    ("delay", "pauseType", &["delay", "delayv", "random", "rate", "queue", "timed", "burst"]),
    ("delay", "randomUnits", SPANS),
    ("delay", "rateUnits", &["second", "minute", "hour", "day"]),
    ("delay", "timeoutUnits", SPANS),
    ("file", "overwriteFile", &["true", "false", "delete"]),
    ("file in", "format", &["utf8", "lines", "stream", "buffer"]),
    ("html", "as", &["single", "multi"]),
    ("html", "ret", &["html", "text", "attr", "compl", "val"]),
    ("http in", "method", &["get", "post", "put", "delete", "patch", "options", "head"]),
    ("http request", "method", &["get", "post", "put", "delete", "patch", "head", "options", "trace", "use"]),
    ("http request", "paytoqs", &["ignore", "query", "body", "true", "false"]),
    ("http request", "ret", &["txt", "bin", "obj"]),
    ("join", "build", &["string", "buffer", "array", "object", "merged"]),
    ("join", "mode", &["auto", "custom", "reduce"]),
    ("json", "action", &["obj", "str"]),
    ("link call", "linkType", &["static", "dynamic"]),
    ("link out", "mode", &["link", "return"]),
    ("mqtt in", "datatype", &["auto", "auto-detect", "buffer", "utf8", "json", "base64"]),
    ("mqtt in", "qos", QOS),
    ("mqtt out", "qos", QOS),
    ("mqtt-broker", "protocolVersion", &["3", "4", "5"]),
    ("project link out", "mode", &["link", "return"]),
    ("range", "action", &["scale", "clamp", "roll", "drop"]),
    ("rbe", "func", &["rbe", "rbei", "deadband", "deadbandEq", "narrowband", "narrowbandEq"]),
    ("rbe", "inout", &["in", "out"]),
    ("smooth", "action", &["max", "min", "mean", "sd", "low", "high"]),
    ("sort", "order", &["ascending", "descending"]),
    ("split", "arraySpltType", &["len"]),
    ("split", "spltType", &["str", "bin", "len"]),
    ("switch", "checkall", FLAG),
    ("switch", "rules[].t", COMPARISONS),
    ("tcp in", "datamode", &["stream", "single"]),
    ("tcp in", "datatype", BYTES),
    ("tcp in", "server", &["server", "client"]),
    ("tcp out", "beserver", &["server", "client", "reply"]),
    ("tcp request", "out", &["time", "count", "char", "sit", "immed"]),
    ("tcp request", "ret", &["buffer", "string"]),
    ("template", "fieldType", &["msg", "flow", "global"]),
    ("template", "output", &["str", "json", "yaml", "parsed"]),
    ("template", "syntax", &["mustache", "plain"]),
    ("tls-config", "certType", &["files", "env", "pfx"]),
    ("trigger", "units", &["ms", "s", "min", "hr"]),
    ("udp in", "datatype", BYTES),
    ("udp in", "ipv", &["udp4", "udp6"]),
    ("udp in", "multicast", FLAG),
    ("udp out", "ipv", &["udp4", "udp6"]),
    ("udp out", "multicast", &["false", "multi", "broad", "board"]),
    ("websocket-client", "wholemsg", FLAG),
    ("websocket-listener", "wholemsg", FLAG),
];

/// The fields of a node with a value that is none of the field's, each with what to do.
pub(crate) fn unknown_choices(node: &NodeConfig) -> Vec<(&'static str, String)> {
    let begin = CHOICES.partition_point(|(kind, ..)| *kind < node.kind.as_str());
    let own = CHOICES[begin..].iter().take_while(|(kind, ..)| *kind == node.kind);
    own.flat_map(|(_, field, known)| {
        let unknown = values(node, field).into_iter().filter(|value| !is_known(value, known));
        unknown.map(move |value| {
            let known = known.join(", ");
            let message = format!("{field} is \"{value}\", which this version does not know: use one of {known}");
            (*field, message)
        })
    })
    .collect()
}

fn is_known(value: &str, known: &[&str]) -> bool {
    // Variables are filled in when the node starts.
    value.is_empty() || value.contains("${") || known.iter().any(|known| known.eq_ignore_ascii_case(value))
}

/// The texts of a field; `list[].field` is that of each item.
fn values<'a>(node: &'a NodeConfig, field: &str) -> Vec<&'a str> {
    let text = |value: &'a Value| value.as_str();
    match field.split_once("[].") {
        None => node.get(field).and_then(text).into_iter().collect(),
        Some((list, field)) => {
            let items = node.get(list).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| item.get(field).and_then(text)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    #[test]
    fn the_table_is_sorted_and_of_types_that_are_known() {
        assert!(CHOICES.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
        for (kind, ..) in CHOICES {
            assert!(crate::known::is_core_type(kind), "{kind}");
        }
    }

    #[test]
    fn a_value_of_a_newer_editor_is_named_with_what_there_is() {
        let document = Document::parse(
            r#"[{"id":"d","type":"delay","pauseType":"surge","timeoutUnits":"","rateUnits":"${UNIT}"},
            {"id":"s","type":"switch","rules":[{"t":"eq"},{"t":"like"},{"t":7}],"checkall":true},
            {"id":"h","type":"http request","method":"GET"},{"id":"o","type":"other","mode":"x"}]"#,
        )
        .unwrap();
        let found: Vec<String> =
            document.entries().iter().flat_map(unknown_choices).map(|(_, message)| message).collect();
        assert_eq!(
            found[0],
            "pauseType is \"surge\", which this version does not know: use one of delay, delayv, random, rate, queue, timed, burst"
        );
        assert!(found[1].starts_with("rules[].t is \"like\""), "{found:?}");
        assert_eq!(found.len(), 2);
    }
}
