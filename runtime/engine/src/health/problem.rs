//! A node that does not work.

/// A node that does not work, and why. The rest of the flow runs.
#[derive(Clone, Debug, serde::Serialize, PartialEq, Eq)]
pub struct NodeProblem {
    /// The node's id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Its name, or empty.
    pub name: String,
    /// The tab's name.
    pub tab: String,
    /// Why it does not work.
    pub message: String,
}
