//! The rules for project link nodes.

use crate::document::NodeConfig;
use crate::problem::Severity::Info;

use super::finding::Says;
use super::mqtt_in::one_topic;
use super::rules::one;

pub(super) fn project_link_in(node: &NodeConfig) -> Vec<Says> {
    if !node.bool("broadcast") {
        return one_topic(node);
    }
    if node.is_for_each() || node.is_broadcast_for_each() {
        return Vec::new();
    }
    one(
        Info,
        "broadcast",
        "the group handles a broadcast once, in one of its replicas",
        &format!("if every replica is to get it: flotilla group set {} broadcast=each", node.id),
    )
}
