//! Trails: where recorded deliveries went.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::node::{NodeId, Unanswered};

/// Which deliveries are recorded, beside those that fail. `PUT /api/v1/groups/{group}/trails/rule`; DELETE ends it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrailRule {
    /// Those that pass this node, by its id or name; empty: any.
    pub node: String,
    /// So many in each replica, then no more; none: without an end.
    pub next: Option<u64>,
    /// So many of a hundred, by chance: more than 0, at most 100; none: all.
    pub percent: Option<f64>,
    /// Those whose message has this property somewhere on its way, like `msg.orderId`, with its value; empty: any.
    pub property: String,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TrailEnd {
    /// Nothing failed.
    Completed,
    /// An error was caught by no catch node.
    Failed,
    /// It was given up here: another replica does it, or nobody.
    Abandoned,
}

/// A recorded delivery. Times in microseconds count from when it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Trail {
    /// The replica.
    pub replica: String,
    /// Its number among the trails of this replica.
    pub number: u64,
    /// When it came, milliseconds since the epoch, on the replica's clock.
    pub came_ms: u64,
    /// The node that it came in through.
    pub source: NodeId,
    /// It was recorded from its beginning. Without a rule that chose it, what failed is recorded from the failure on.
    pub whole: bool,
    /// The `_msgid` of its first message.
    pub message: String,
    /// The topic that it came on; of an HTTP request the method and the path.
    pub topic: String,
    /// The property that the rule names, like `msg.orderId`.
    pub property: String,
    /// The value that it had first, as a text.
    pub value: String,
    /// The nodes that it passed, in order.
    pub steps: Vec<TrailStep>,
    /// Nodes that it passed beyond those.
    pub more_steps: u64,
    /// What it published over MQTT.
    pub published: Vec<TrailPublish>,
    /// What it published beyond that.
    pub more_published: u64,
    /// How it ended; none while it is open.
    pub end: Option<TrailEnd>,
    /// When.
    pub ended_us: u64,
    /// The node that failed.
    pub failed: NodeId,
    /// What that node reported.
    pub error: String,
    /// The status of the answer to the request that it came as; 0: it came as no request, or is not answered yet.
    #[serde(skip_serializing_if = "crate::omit::is_default")]
    pub status: u16,
    /// When that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_us: Option<u64>,
    /// The flow did not answer its request in time: the replica, or the gateway, answered 504 in its place. An answer 504 of the
    /// flow's own is none of these.
    #[serde(skip_serializing_if = "crate::omit::is_default")]
    pub too_late: bool,
    /// It is no delivery but a request that the gateway answered itself with 502, 503 or 504, and `error` says why; `number` is among
    /// those of this gateway. `replica` is the one that had the request, and whose delivery may go on; empty: none had it.
    #[serde(skip_serializing_if = "crate::omit::is_default")]
    pub at_gateway: bool,
    /// When what it came as was acknowledged; none where nothing is acknowledged, or not yet.
    pub acknowledged_us: Option<u64>,
}

/// A node that a delivery passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrailStep {
    /// The node.
    #[serde(flatten)]
    pub id: NodeId,
    /// When.
    pub at_us: u64,
    /// How long it had the worker; what it did later, beside the run queue, is not in it.
    pub took_us: u64,
}

/// A message that a delivery published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrailPublish {
    /// The topic.
    pub topic: String,
    /// The quality of service.
    pub qos: u8,
    /// When.
    pub at_us: u64,
    /// When the broker had it; at QoS 0, when it was written.
    pub taken_us: Option<u64>,
    /// It could not be published.
    pub refused: bool,
}

/// Which trails are wanted. All that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrailFilter {
    /// This is its message's id, its topic, or the value of its property.
    pub find: String,
    /// Its message's id.
    pub message: String,
    /// The topic that it came on; may end in `#`.
    pub topic: String,
    /// The value of its property.
    pub value: String,
    /// It passed this node, by id or name.
    pub node: String,
    /// It failed, the flow was too late with its answer, or the gateway answered in place of a replica.
    pub failed: bool,
    /// So many at most, the newest; 0: 100.
    pub most: usize,
}

/// The trails of a group. `GET /api/v1/groups/{group}/trails`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Trails {
    /// The trails, the newest first.
    pub trails: Vec<Trail>,
    /// The rule that is in force.
    pub rule: Option<TrailRule>,
    /// The replicas that did not answer.
    pub unanswered: Vec<Unanswered>,
}

impl TrailFilter {
    /// True for one that is wanted.
    pub fn wants(&self, trail: &Trail) -> bool {
        let of_topic = |wanted: &str| match wanted.strip_suffix('#') {
            Some(start) => trail.topic.starts_with(start),
            None => trail.topic == wanted,
        };
        let is = |id: &NodeId| id.node == self.node || id.name == self.node;
        let has = |value: &str| !trail.property.is_empty() && trail.value == value;
        (self.find.is_empty() || trail.message == self.find || trail.topic == self.find || has(&self.find))
            && (self.message.is_empty() || trail.message == self.message)
            && (self.topic.is_empty() || of_topic(&self.topic))
            && (self.value.is_empty() || has(&self.value))
            && (self.node.is_empty() || is(&trail.source) || trail.steps.iter().any(|step| is(&step.id)))
            && (!self.failed || trail.end == Some(TrailEnd::Failed) || trail.too_late || trail.at_gateway)
    }

    /// Those that are wanted, the newest first.
    pub fn of(&self, mut trails: Vec<Trail>) -> Vec<Trail> {
        trails.retain(|trail| self.wants(trail));
        trails.sort_by(|a, b| (b.came_ms, b.number, &a.replica).cmp(&(a.came_ms, a.number, &b.replica)));
        trails.truncate(if self.most == 0 { 100 } else { self.most });
        trails
    }
}

impl std::fmt::Display for TrailRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.next, self.percent) {
            (Some(next), Some(percent)) => write!(f, "the next {next} deliveries of each replica out of {percent} %")?,
            (Some(next), None) => write!(f, "the next {next} deliveries of each replica")?,
            (None, Some(percent)) => write!(f, "{percent} % of the deliveries")?,
            (None, None) => f.write_str("all deliveries")?,
        }
        if !self.node.is_empty() {
            write!(f, " that pass node {}", self.node)?;
        }
        if !self.property.is_empty() {
            write!(f, " with {}", self.property)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail(number: u64, topic: &str, value: &str) -> Trail {
        let id = NodeId { node: "f1".to_owned(), name: "parse".to_owned(), ..NodeId::default() };
        Trail {
            number,
            came_ms: number,
            topic: topic.to_owned(),
            message: format!("m{number}"),
            property: "msg.orderId".to_owned(),
            value: value.to_owned(),
            steps: vec![TrailStep { id, ..TrailStep::default() }],
            ..Trail::default()
        }
    }

    #[test]
    fn a_trail_is_found_by_what_is_known_of_it() {
        let all = || vec![trail(1, "orders/a", "4711"), trail(2, "orders/b", "12"), trail(3, "plant", "4711")];
        let found = |filter: TrailFilter| filter.of(all()).iter().map(|trail| trail.number).collect::<Vec<_>>();
        let filter = TrailFilter::default;
        assert_eq!(found(TrailFilter { find: "4711".to_owned(), ..filter() }), [3, 1]);
        assert_eq!(found(TrailFilter { find: "m2".to_owned(), ..filter() }), [2]);
        assert_eq!(found(TrailFilter { topic: "orders/#".to_owned(), ..filter() }), [2, 1]);
        assert_eq!(found(TrailFilter { value: "4711".to_owned(), topic: "plant".to_owned(), ..filter() }), [3]);
        assert_eq!(found(TrailFilter { node: "parse".to_owned(), most: 1, ..filter() }), [3]);
        assert_eq!(found(TrailFilter { failed: true, ..filter() }), Vec::<u64>::new());
        let answered = |number: u64, too_late: bool, at_gateway: bool| Trail {
            status: 504,
            too_late,
            at_gateway,
            ..trail(number, "GET /", "")
        };
        // By the flow itself, by the replica, by the gateway.
        let late = vec![answered(1, false, false), answered(2, true, false), answered(3, true, true)];
        let failed = TrailFilter { failed: true, ..filter() }.of(late);
        assert_eq!(failed.iter().map(|trail| trail.number).collect::<Vec<_>>(), [3, 2]);
    }
}
