//! Errors as `application/problem+json` (RFC 9457).

use std::borrow::Cow;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The media type of errors.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// An error of the admin API. `code` is stable: scripts may rely on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for scripts: for example `store_unavailable`.
    pub code: Cow<'static, str>,
    /// What went wrong, for people.
    pub detail: String,
    /// The field at fault, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
    /// After how many seconds it may be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<NonZeroU16>,
    /// The right that is missing, when the request was refused for that: see docs/rights.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<Box<str>>,
    /// Everything that is wrong, when it is more than one thing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Part>,
}

/// One of several things that are wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// What is wrong, for scripts: `invalid`, `unknown_type`.
    pub code: Cow<'static, str>,
    /// What is wrong, for people.
    pub detail: String,
    /// The node's id, when it is about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// The node's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The field at fault.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// More about it: a node's `type` and `tab`, the npm `package` of a type.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Problem {
    /// A problem without a field.
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            code: Cow::Borrowed(code),
            detail: detail.into(),
            field: None,
            right: None,
            retry_after_s: None,
            problems: Vec::new(),
        }
    }

    /// After how many seconds it may be tried again.
    pub fn retry_after(self, seconds: u64) -> Problem {
        Problem { retry_after_s: NonZeroU16::new(seconds.try_into().unwrap_or(u16::MAX)), ..self }
    }

    /// The field at fault.
    pub fn of_field(self, field: &'static str) -> Problem {
        Problem { field: Some(Cow::Borrowed(field)), ..self }
    }
}

impl Part {
    /// What it is about, for people.
    pub fn subject(&self) -> &str {
        [&self.name, &self.node].into_iter().find(|text| !text.is_empty()).map_or("flow document", String::as_str)
    }
}
