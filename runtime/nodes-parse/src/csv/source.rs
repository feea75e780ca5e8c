//! What writing depends on besides the payload.

/// Where column names come from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// The node's own list of columns.
    pub(super) list: &'a str,
    /// `msg.columns`
    pub(super) columns: Option<&'a str>,
    /// A later part of a sequence, in a node without its own columns: keep those of the first.
    pub(super) keep_columns: bool,
}
