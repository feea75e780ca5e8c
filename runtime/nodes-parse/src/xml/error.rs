//! Why XML could not be read or written.

/// Nested deeper than this a document is taken to be damaged or hostile.
pub(super) const MAX_DEPTH: usize = 500;

/// Why XML could not be read; texts begin as those of sax, which flows may look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}\nLine: {line}\nColumn: {column}\nChar: {found}")]
pub(super) struct ReadError {
    /// What is wrong.
    pub(super) reason: String,
    /// Lines before it.
    pub(super) line: usize,
    /// Characters on its line up to and with it, as sax counts.
    pub(super) column: usize,
    /// The character there; empty at the end.
    pub(super) found: String,
}

/// Why a value cannot be written as XML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BuildError {
    /// A property name that no element or attribute can have.
    #[error("Invalid character in name")]
    Name,
    /// A character that XML cannot hold, with the text.
    #[error("Invalid character in string: {0}")]
    Character(String),
    /// An undefined value where text is needed.
    #[error("Missing element text in <{0}>")]
    Text(String),
    /// `null` has no properties.
    #[error("Cannot convert undefined or null to object")]
    Nothing,
    /// Nested too deeply.
    #[error("XML elements would be nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// `xmldec.version` or `xmldec.encoding` is malformed.
    #[error("Invalid XML declaration: {0}")]
    Declaration(String),
}

impl ReadError {
    /// An error at a byte of the text.
    pub(super) fn at(reason: impl Into<String>, text: &str, byte: usize) -> ReadError {
        let byte = (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let before = &text[..byte];
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        let found = text[byte..].chars().next().map(String::from).unwrap_or_default();
        ReadError {
            reason: reason.into(),
            line: before.matches('\n').count(),
            column: last_line.chars().count() + usize::from(!found.is_empty()),
            found,
        }
    }
}
