//! Why a document cannot run here.

use crate::document::Document;
use crate::expand::{Expanded, expand};
use crate::known::{UnknownType, unknown_types};
use crate::problem::Problem;

/// The setting of a revision that lets its nodes of unknown types swallow messages, in every replica.
pub const ALLOW_UNKNOWN: &str = "allowUnknown";

/// Everything that keeps a document from running.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// What is wrong with the document itself.
    pub errors: Vec<Problem>,
    /// Nodes of types that are not known here; they may run all the same, see [`ALLOW_UNKNOWN`].
    pub unknown: Vec<UnknownType>,
}

/// Everything that keeps a document from running where `is_known` tells which node types there are.
pub fn refusal(document: &Document, is_known: impl Fn(&str) -> bool) -> Refusal {
    let Expanded { graph, problems } = expand(document);
    Refusal {
        unknown: unknown_types(&graph, is_known),
        errors: problems.into_iter().filter(Problem::is_error).collect(),
    }
}
