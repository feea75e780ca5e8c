//! The rules for mqtt in nodes.

use crate::document::NodeConfig;
use crate::node_settings::{Retained, Share};
use crate::problem::Severity::{Info, Warning};
use crate::reach::Reply;

use super::finding::Says;
use super::rules::one;

/// In a topic: the id of the replica.
pub(super) const REPLICA: &str = "${FLOTILLA_REPLICA}";

pub(super) fn mqtt_in(node: &NodeConfig) -> Vec<Says> {
    let topic = node.str("topic");
    if topic.starts_with("$share/") {
        let what = "the flow's own share group is kept as it is";
        return one(
            Info,
            "own-share",
            what,
            "nothing, if other clients are in that group too; else remove the $share part",
        );
    }
    if node.int("inputs").unwrap_or(0) > 0 || node.str("topicType") == "dynamic" {
        let what = "a subscription that a message asks for is that of the whole group, and stays until a message ends it, also \
                    when the group starts again";
        return one(Info, "dynamic-subscription", what, "nothing, if that is meant; else end it when the flow starts");
    }
    [retained(node), one_topic(node), order(node), no_local(node)].concat()
}

/// True when the replicas share its messages.
fn is_shared(node: &NodeConfig) -> bool {
    !node.is_for_each() && !node.is_for_one() && !node.str("topic").contains(REPLICA)
}

/// Receiving has nothing to do with "retain as published": a message that is sent because a subscription begins always
/// has the retain flag [MQTT-3.3.1-8].
fn retained(node: &NodeConfig) -> Vec<Says> {
    let asked = node.int("rh").unwrap_or(0) != 2;
    if !asked || !is_shared(node) || node.node_settings().retained.is_some_and(|set| set != Retained::Once) {
        return Vec::new();
    }
    one(
        Info,
        "retained",
        "the group handles the retained messages of its topic once when its subscription begins, not once per replica",
        &format!("if every replica needs them at its start: flotilla group set {} retained=each", node.id),
    )
}

pub(super) fn one_topic(node: &NodeConfig) -> Vec<Says> {
    let literal = !node.str("topic").contains(['+', '#']);
    if !literal || !is_shared(node) || node.node_settings().share.is_some() {
        return Vec::new();
    }
    one(
        Info,
        "one-topic",
        "all its messages have one topic: on Flotilla's broker one replica at a time gets them, in order, and the others none",
        &format!(
            "nothing, if one replica is fast enough; else, if order does not matter: flotilla group set {} \
             share=least-in-flight",
            node.id
        ),
    )
}

fn order(node: &NodeConfig) -> Vec<Says> {
    let many = node.str("topic").contains(['+', '#']);
    let evenly = node.node_settings().share == Some(Share::LeastInFlight);
    if !(many || evenly)
        || !is_shared(node)
        || node.node_settings().share.is_some_and(|share| !evenly && share != Share::Group)
    {
        return Vec::new();
    }
    let what = if evenly {
        "its messages are spread evenly: one may be finished before another that came earlier"
    } else {
        "several replicas handle its topics at the same time: in order within a topic on Flotilla's broker, without any order \
         on others"
    };
    let advice = format!(
        "nothing, if that is enough; else, for one order of all messages: flotilla group set {} single",
        node.id
    );
    one(Info, "order", what, &advice)
}

fn no_local(node: &NodeConfig) -> Vec<Says> {
    if !node.bool("nl") {
        return Vec::new();
    }
    one(
        Info,
        "no-local",
        "\"do not receive messages published by this client\" means what any replica publishes through the node's broker node; \
         such messages are marked with an MQTT 5 user property",
        "nothing, if the broker speaks MQTT 5; over MQTT 3.1.1 it cannot be kept, and a flow that publishes to its own topic \
         goes round without end",
    )
}

/// What is said of a node whose messages answer HTTP requests that wait in one replica.
pub(super) fn reply(node: &NodeConfig, reply: Reply) -> Vec<Says> {
    let settled = node.ha() == "each" || node.node_settings().share == Some(Share::Each);
    if settled || node.str("topic").contains(REPLICA) {
        return Vec::new();
    }
    let own_topic = format!(
        "have the service reply to a topic of this replica: {0} in the topic here (for example {1}/{0}) and \
         env.get(\"FLOTILLA_REPLICA\") in what is asked",
        REPLICA,
        node.str("topic").trim_end_matches(['#', '+', '/'])
    );
    match reply {
        Reply::Only => one(
            Info,
            "reply",
            "its messages answer HTTP requests, which wait in one replica: every replica gets every message of this node",
            &format!("nothing, with few replies; with many, {own_topic}"),
        ),
        Reply::AndMore => one(
            Warning,
            "reply",
            "its messages answer HTTP requests, which wait in one replica, but go to any: most requests are never answered",
            &format!(
                "{own_topic}; or let every replica get every message, if what else this flow does may happen once per \
                 replica: flotilla group set {} each",
                node.id
            ),
        ),
    }
}
