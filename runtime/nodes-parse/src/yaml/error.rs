//! Why YAML could not be read or written.

/// Nested deeper than this a document is taken to be damaged or hostile.
pub(super) const MAX_DEPTH: usize = 500;

/// Why YAML could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} ({line}:{column})")]
pub struct LoadError {
    /// What is wrong.
    pub(super) reason: String,
    /// From 1.
    pub(super) line: usize,
    /// From 1.
    pub(super) column: usize,
}

/// Why a value cannot be written as YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DumpError {
    /// A function, an error object, a map, ...
    #[error("a {0} cannot be written as YAML")]
    Kind(&'static str),
    /// A cycle, or nested too deeply.
    #[error("the value is nested deeper than {MAX_DEPTH} levels, or within itself")]
    TooDeep,
}
