//! Trails of this replica: what the group's rule asks for, and how they are shown.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::node::NodeId;
use flotilla_api::trail::{Trail, TrailEnd, TrailPublish, TrailRule, TrailStep};
use flotilla_engine::Shared;
use flotilla_engine::trail::{BadRule, Ended, How, Published, Rule, Step, TrailView};
use flotilla_group::Changes;
use flotilla_group::trail::TrailRules;
use flotilla_store::Store;

use super::node_id::node_id;

/// How long a replica waits before it looks again after the store failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Has the engine record what the group's rule asks for. Does not end.
pub(super) async fn follow_rule(store: Arc<dyn Store>, rules: TrailRules, shared: Arc<Shared>) {
    let mut changes = Changes::new(store, vec![rules.key()]);
    let mut version = None;
    loop {
        changes.next().await;
        let rule = match rules.get().await {
            Ok(rule) => rule,
            Err(error) => {
                tracing::warn!(%error, "cannot see which deliveries are to be recorded");
                tokio::time::sleep(AGAIN).await;
                changes.look_again();
                continue;
            }
        };
        let found = rule.as_ref().map(|(_, version)| *version);
        if found == version {
            continue;
        }
        version = found;
        let rule = rule.and_then(|(rule, _)| {
            let wanted = wanted(&rule);
            wanted.inspect_err(|error| tracing::warn!(%error, "the rule of what is recorded cannot be used")).ok()
        });
        shared.deliveries().recorder().set_rule(rule);
    }
}

/// The rule as the engine takes it.
pub(super) fn wanted(rule: &TrailRule) -> Result<Rule, BadRule> {
    Rule::new(&rule.node, rule.next, rule.percent, &rule.property)
}

/// A trail for people: with the names of its nodes, as far as the flow still has them.
pub(super) fn trail_of(replica: &str, shared: Option<&Shared>, view: TrailView) -> Trail {
    let id = |node: &str| match shared.and_then(|shared| shared.node(node)) {
        Some(view) => node_id(&view),
        None => NodeId { node: node.to_owned(), ..NodeId::default() },
    };
    let step = |step: Step| TrailStep { id: id(&step.node), at_us: step.at_us, took_us: step.took_us };
    let publish = |one: Published| {
        let Published { topic, qos, at_us, taken_us, refused } = one;
        TrailPublish { topic: topic.to_string(), qos, at_us, taken_us, refused }
    };
    let (property, value) = view.property.unwrap_or_default();
    let (end, ended_us, failed, error) = match view.ended {
        Some(Ended { how, at_us, node, error }) => {
            let end = match how {
                How::Completed => TrailEnd::Completed,
                How::Failed => TrailEnd::Failed,
                How::Abandoned => TrailEnd::Abandoned,
            };
            (Some(end), at_us, if node.is_empty() { NodeId::default() } else { id(&node) }, error)
        }
        None => (None, 0, NodeId::default(), String::new()),
    };
    Trail {
        replica: replica.to_owned(),
        number: view.number,
        came_ms: view.came_ms as u64,
        source: id(&view.source),
        whole: view.whole,
        message: view.message.to_string(),
        topic: view.topic.to_string(),
        property,
        value,
        steps: view.steps.into_iter().map(step).collect(),
        more_steps: view.more_steps,
        published: view.published.into_iter().map(publish).collect(),
        more_published: view.more_published,
        end,
        ended_us,
        failed,
        error,
        status: view.answered.map_or(0, |(status, _)| status),
        answered_us: view.answered.map(|(_, at_us)| at_us),
        too_late: view.too_late,
        at_gateway: false,
        acknowledged_us: view.acknowledged_us,
    }
}
