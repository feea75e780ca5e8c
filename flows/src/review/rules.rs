//! The rules, by node type.

use crate::document::{Document, NodeConfig};
use crate::known::{instead, is_core_type, npm_package};
use crate::problem::Severity::{Error, Info, Warning};
use crate::reach::replies;

use super::answers::unanswered;
use super::context::context_use;
use super::finding::{Finding, Says};
use super::function_io::function_io;
use super::functions::function_rules;
use super::outward;
use super::refused::{refused, tab};
use super::{mqtt_in, project_link};

/// Says what the flow does differently at several replicas: most severe first, else in the document's order. Disabled
/// nodes and tabs are left out.
pub fn review(document: &Document) -> Vec<Finding> {
    let unanswered = unanswered(document);
    let replies = replies(document);
    let mut findings: Vec<Finding> = document
        .entries()
        .iter()
        .filter(|node| !matches!(node.kind.as_str(), "tab" | "subflow" | "group" | "comment" | "junction"))
        .filter(|node| !node.disabled && !document.get(&node.z).is_some_and(|tab| tab.disabled))
        .flat_map(|node| {
            let tab = tab(document, node);
            let mut says = rules(node);
            if node.kind != "function" && is_core_type(&node.kind) {
                says.extend(context_use(node));
            }
            if node.kind == "http request" {
                says.extend(outward::own_port(document, node));
            }
            if let Some(reply) = replies.get(&node.id) {
                says.extend(mqtt_in::reply(node, *reply));
            }
            if unanswered.contains(node.id.as_str()) {
                says.push(Says::new(
                    Warning,
                    "no-response",
                    "no http response node can be reached from here: Node-RED lets such requests hang; here they get 502 when \
                     the flow is through with them",
                    "wire it to an http response node, also from catch nodes",
                ));
            }
            says.into_iter().map(|says| says.of(node, tab)).collect::<Vec<_>>()
        })
        .collect();
    findings.extend(refused(document));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

pub(super) fn one(severity: crate::Severity, code: &'static str, what: &str, advice: &str) -> Vec<Says> {
    vec![Says::new(severity, code, what, advice)]
}

fn rules(node: &NodeConfig) -> Vec<Says> {
    match node.kind.as_str() {
        "mqtt-broker" => broker(node),
        "mqtt in" => mqtt_in::mqtt_in(node),
        "project link in" => project_link::project_link_in(node),
        "inject" => inject(node),
        "delay" => delay(node),
        "function" => [function_rules(node), function_io(node)].concat(),
        "smooth" | "join" | "batch" | "trigger" | "rbe" | "sort" => local_state(node),
        "tcp in" if node.str("server") == "client" => outward::client(),
        "websocket in" if !node.str("client").is_empty() => outward::client(),
        "tcp in" | "udp in" | "websocket-listener" => listener(node),
        "tcp request" | "tcp out" if node.str("host").is_empty() && node.str("beserver") == "server" => listener(node),
        "file" | "file in" | "watch" | "exec" => host(node),
        kind if !is_core_type(kind) => unknown(node),
        _ => Vec::new(),
    }
}

fn local_state(node: &NodeConfig) -> Vec<Says> {
    let what = match node.kind.as_str() {
        "smooth" => "each replica smooths over the messages that it happens to get, not over all of them",
        "join" => "parts of one sequence may reach different replicas, and none of them gets it whole",
        "batch" => "each replica counts its own messages: batches are made of what one replica gets",
        "trigger" => "each replica has its own timers: several may send where one would",
        "rbe" => "each replica remembers its own last value: a repeated value may pass once per replica",
        _ => "each replica sorts only the messages that it gets",
    };
    // These keep nothing between messages in some modes.
    if node.kind == "sort" && node.str("target") == "msg" {
        return Vec::new();
    }
    let advice = "on Flotilla's broker each topic stays with one replica until replicas come or go, and begins anew at the next: \
                  if that is not enough, as for a watchdog of the whole group, let one replica at a time have all messages: \
                  flotilla group set NODE single, for the mqtt in node";
    one(Warning, "local-state", what, advice)
}

fn delay(node: &NodeConfig) -> Vec<Says> {
    let limits = matches!(node.str("pauseType"), "rate" | "queue" | "timed" | "burst");
    if !limits {
        return outward::outlasts_drain(node);
    }
    one(
        Warning,
        "local-state",
        "the rate limit applies in each replica: N replicas let N times as much through",
        "divide the rate by the number of replicas, or let one replica at a time have all messages: flotilla group set NODE \
         single, for the mqtt in node",
    )
}

fn broker(node: &NodeConfig) -> Vec<Says> {
    let mut says = Vec::new();
    if node.opt_str("clientid").is_some() {
        let what = "the ClientID is not used in a group: replicas with one ClientID would disconnect each other";
        says.push(Says::new(Info, "client-id", what, "nothing: each replica gets its own id"));
    }
    if node.opt_str("willTopic").is_some() || node.opt_str("birthTopic").is_some() {
        let own =
            ["birthTopic", "closeTopic", "willTopic"].iter().any(|field| node.str(field).contains(mqtt_in::REPLICA));
        if !own {
            let what = "birth, close and will messages are the group's: one replica at a time carries them, and the will is sent \
                        when the last one is gone";
            let advice = "nothing; for a status of each replica, put ${FLOTILLA_REPLICA} into the topics";
            says.push(Says::new(Info, "will", what, advice));
        }
    }
    says
}

fn inject(node: &NodeConfig) -> Vec<Says> {
    let mut says = Vec::new();
    let (repeats, cron) = (node.num("repeat").is_some_and(|seconds| seconds > 0.0), node.opt_str("crontab").is_some());
    let ha = node.ha();
    if (repeats || cron) && ha != "each" {
        let what =
            if cron { "its schedule fires once for the whole group" } else { "it repeats once for the whole group" };
        let advice = format!("if every replica is to fire: flotilla group set {} tick=each", node.id);
        says.push(Says::new(Info, "timer", what, &advice));
    }
    if node.bool("once") && ha != "one" {
        let what = "\"inject once after start\" runs in every replica (it usually seeds local context)";
        let advice = format!("if it is to run once for the whole group: flotilla group set {} tick=one", node.id);
        says.push(Says::new(Info, "once", what, &advice));
    }
    says
}

fn listener(node: &NodeConfig) -> Vec<Says> {
    if node.kind == "websocket-listener" {
        return one(
            Info,
            "listener",
            "each client is connected to one replica, which gets what it sends; what a websocket out node sends to all reaches the \
             clients of all replicas, each at most once",
            "nothing; for what no client may miss, keep it in shared context and send it when a client connects",
        );
    }
    one(
        Warning,
        "listener",
        "the replicas of one machine share the port: each connection (or sender) gets one of them, and no gateway stands before \
         other machines",
        "nothing, if any replica may take any sender; else run this flow with --replicas 1, or let the sender use MQTT or HTTP",
    )
}

fn host(node: &NodeConfig) -> Vec<Says> {
    let what = match node.kind.as_str() {
        "exec" => "the command runs on the machine of the replica that gets the message",
        "watch" => "every replica watches the files of its machine, and each reports a change",
        _ => "the file is on the machine (or in the container) of the replica that gets the message",
    };
    one(
        Warning,
        "host",
        what,
        "use a shared directory, or keep the data in shared context; --deny switches such nodes off",
    )
}

fn unknown(node: &NodeConfig) -> Vec<Says> {
    let package = npm_package(&node.kind).map_or_else(String::new, |package| format!(" (npm package {package})"));
    let what = format!("Flotilla has no node type \"{}\"{package}: the flow is refused", node.kind);
    let replace = instead(&node.kind).map_or("replace the node".to_owned(), |what| format!("replace it with {what}"));
    let advice = format!("{replace}; or run with --allow-unknown: then it swallows messages, visibly");
    vec![Says { severity: Error, code: "unknown-type", what, advice }]
}
