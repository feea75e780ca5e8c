//! Code that does not compile.

use std::fmt;

/// Code that does not compile, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The node's id.
    pub node: String,
    /// The node's type.
    pub kind: String,
    /// The node's name, or empty.
    pub name: String,
    /// The id of the tab or subflow that it is on.
    pub tab: String,
    /// The property that holds the code, as in the flow document: `func`, `rules[2].to`.
    pub field: String,
    /// Line and column in that code, from 1, where they are known.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.field)?;
        if let Some((line, column)) = self.place {
            write!(f, " (line {line}, col {column})")?;
        }
        write!(f, ": {}", self.message)
    }
}
