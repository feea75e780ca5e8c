//! Which nodes of a test are live, and what the others answer.

use std::collections::{HashMap, HashSet};

use super::super::case::{Answer, Case};
use super::super::nodes::Nodes;
use super::role::Role;

/// What a test says of its isolated nodes. In the engine's extensions while the test runs.
#[derive(Default)]
pub(crate) struct Isolation {
    live: HashSet<String>,
    answers: HashMap<String, Vec<Answer>>,
}

impl Isolation {
    /// The nodes that a test wants live, with the configuration nodes that they use.
    pub(crate) fn of(case: &Case, nodes: &Nodes) -> Isolation {
        let mut live: HashSet<String> = HashSet::new();
        let mut queue = case.live.clone();
        if case.has_requests() {
            let http = nodes.iter().filter(|node| matches!(node.kind.as_str(), "http in" | "http response"));
            queue.extend(http.map(|node| node.id.clone()));
        }
        while let Some(id) = queue.pop() {
            let configs = nodes.get(&id).into_iter().flat_map(|node| &node.refers_to);
            let configs =
                configs.filter(|id| nodes.get(id).is_some_and(|node| Role::of(&node.kind) == Some(Role::Config)));
            queue.extend(configs.filter(|id| !live.contains(*id)).cloned());
            live.insert(id);
        }
        Isolation { live, answers: case.answers.clone() }
    }

    /// True when the node runs for real.
    pub(crate) fn is_live(&self, id: &str) -> bool {
        self.live.contains(id)
    }

    /// The answer to a node's message of this number, from 0.
    pub(super) fn answer(&self, id: &str, number: usize) -> Option<&Answer> {
        let answers = self.answers.get(id)?;
        answers.get(number).or(answers.last())
    }
}
