//! Why a scenario cannot be run.

use crate::measure::BadThreshold;
use crate::span::BadSpan;
use crate::template::{PatternError, TableError, TemplateError};

/// A scenario that cannot be run: each names the field, its value and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file is not there or not readable.
    #[error("cannot read the scenario {path}: {error}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// Not TOML, or a key that is not known.
    #[error("the scenario {path} is not valid: {error}")]
    Toml {
        /// Which.
        path: String,
        /// Why, with line and column.
        error: Box<toml::de::Error>,
    },
    /// A field with a value that it cannot have.
    #[error("{field}: {what}")]
    Field {
        /// Where it is.
        field: String,
        /// What is wrong, with the value, and what to do.
        what: String,
    },
}

impl ScenarioError {
    /// A field with a value that it cannot have.
    pub fn field(field: impl Into<String>, what: impl Into<String>) -> ScenarioError {
        ScenarioError::Field { field: field.into(), what: what.into() }
    }
}

/// Names the field of an error.
pub(super) trait At<T> {
    /// With the field.
    fn at(self, field: &str) -> Result<T, ScenarioError>;
}

macro_rules! at {
    ($($error:ty),*) => { $(
        impl<T> At<T> for Result<T, $error> {
            fn at(self, field: &str) -> Result<T, ScenarioError> {
                self.map_err(|error| ScenarioError::field(field, error.to_string()))
            }
        }
    )* };
}
at!(BadSpan, BadThreshold, PatternError, TableError, TemplateError);
