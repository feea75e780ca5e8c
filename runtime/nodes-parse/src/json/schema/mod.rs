//! JSON schema, drafts 6 and 7, with Ajv's strictness, errors and texts, because flows read `msg.schemaError`.

mod applicators;
mod check;
mod keywords;
mod problem;
mod validate;

pub(super) use problem::{Problem, errors_text};
pub(super) use validate::Schema;
