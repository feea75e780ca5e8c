//! What is known of a recorded delivery.

use flotilla_value::Str;

/// A snapshot of a recorded delivery. Times are microseconds since it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrailView {
    /// Its number among the trails of this replica.
    pub number: u64,
    /// When it came, milliseconds since the epoch.
    pub came_ms: f64,
    /// The id of the node that it came in through.
    pub source: Str,
    /// It was recorded from its beginning; else from its failure on.
    pub whole: bool,
    /// The id of its first message, `_msgid`.
    pub message: Str,
    /// The topic of its first message that had one.
    pub topic: Str,
    /// The property that is recorded, and the value that it had first.
    pub property: Option<(String, String)>,
    /// The nodes that it passed, in order.
    pub steps: Vec<Step>,
    /// Nodes that it passed beyond those.
    pub more_steps: u64,
    /// What it published.
    pub published: Vec<Published>,
    /// What it published beyond that.
    pub more_published: u64,
    /// How it ended; none while it is open.
    pub ended: Option<Ended>,
    /// The status of the answer to the request that it came as, and when that was given.
    pub answered: Option<(u16, u64)>,
    /// That answer was given in place of the flow, which was too late.
    pub too_late: bool,
    /// When what it came as was acknowledged. None where nothing is: QoS 0, timers.
    pub acknowledged_us: Option<u64>,
}

/// A node that it passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The node's id.
    pub node: Str,
    /// When.
    pub at_us: u64,
    /// How long the node had the worker for it; what it does later, beside the run queue, is not in it.
    pub took_us: u64,
}

/// A message that it published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The topic.
    pub topic: Str,
    /// The quality of service.
    pub qos: u8,
    /// When.
    pub at_us: u64,
    /// When the broker had it; at QoS 0, when it was written.
    pub taken_us: Option<u64>,
    /// It could not be published.
    pub refused: bool,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub how: How,
    /// When.
    pub at_us: u64,
    /// The id of the node that failed, or empty.
    pub node: Str,
    /// What that node reported.
    pub error: String,
}

/// How a recorded delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing failed.
    Completed,
    /// An error was caught by no catch node.
    Failed,
    /// It was given up here.
    Abandoned,
}

impl TrailView {
    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let steps: usize = self.steps.iter().map(|step| size_of::<Step>() + step.node.len()).sum();
        let published: usize = self.published.iter().map(|one| size_of::<Published>() + one.topic.len()).sum();
        let error = self.ended.as_ref().map_or(0, |ended| ended.error.len());
        let property = self.property.as_ref().map_or(0, |(name, value)| name.len() + value.len());
        size_of::<TrailView>() + steps + published + error + property + self.topic.len() + self.message.len()
    }

    /// True when it came in through this node, or passed it.
    pub fn has_passed(&self, node: &str) -> bool {
        self.source == node || self.steps.iter().any(|step| step.node == node)
    }
}
