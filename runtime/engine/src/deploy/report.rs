//! What a deploy reports.

use flotilla_flows::Problem;

use crate::health::NodeProblem;

/// How a deploy went.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct DeployReport {
    /// Nodes that started.
    pub started: usize,
    /// Nodes that went on without a restart.
    pub kept: usize,
    /// Nodes that stopped and did not start again.
    pub removed: usize,
    /// Nodes that could not start.
    pub problems: Vec<NodeProblem>,
}

/// Why a flow document was refused. Nothing changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeployError {
    /// The document cannot run.
    #[error("the flow document cannot run:{}", list(.0))]
    Invalid(Vec<Problem>),
    /// Node types that are not known here, each with its nodes.
    #[error("the flow document uses node types that Flotilla does not have:{}\nRun it with --allow-unknown to let such nodes swallow messages", rows(.0))]
    UnknownTypes(Vec<NodeProblem>),
    /// Node types that the operator switched off.
    #[error("the flow document uses node types that are switched off here:{}", rows(.0))]
    Denied(Vec<NodeProblem>),
    /// A worker panicked while it made or started the flow's nodes.
    #[error("a worker panicked while it started the flow: this is a fault of Flotilla, and its log line says where")]
    Panicked,
    /// The engine was stopped.
    #[error("the engine has stopped")]
    Stopped,
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

fn rows(problems: &[NodeProblem]) -> String {
    let row = |p: &NodeProblem| format!("\n  {} \"{}\" ({}) on tab \"{}\": {}", p.kind, p.name, p.id, p.tab, p.message);
    problems.iter().map(row).collect()
}

impl DeployReport {
    /// Adds what a worker reported.
    ///
    /// # Errors
    /// [`DeployError::Panicked`] when a worker gave no answer.
    pub(super) fn absorb(&mut self, part: Option<DeployReport>) -> Result<(), DeployError> {
        let part = part.ok_or(DeployError::Panicked)?;
        self.started += part.started;
        self.problems.extend(part.problems);
        Ok(())
    }
}
