//! What one route takes and answers.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// A schema that is made when the document is.
type Make = fn(&mut SchemaGenerator) -> Schema;

/// What one route takes and answers.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: Option<Make>,
    pub(super) body: Option<Make>,
    pub(super) status: u16,
    pub(super) answer: Option<Make>,
}

/// A route without a body, answered 200.
pub(super) fn get<A: JsonSchema>(path: &'static str, summary: &'static str) -> Operation {
    Operation { method: "GET", path, summary, query: None, body: None, status: 200, answer: Some(of::<A>) }
}

/// A route that changes something, answered 204.
pub(super) fn change(method: &'static str, path: &'static str, summary: &'static str) -> Operation {
    Operation { method, path, summary, query: None, body: None, status: 204, answer: None }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Operation {
    /// What stands in the query.
    pub(super) fn query<T: JsonSchema>(self) -> Operation {
        Operation { query: Some(of::<T>), ..self }
    }

    /// What is sent.
    pub(super) fn takes<T: JsonSchema>(self) -> Operation {
        Operation { body: Some(of::<T>), ..self }
    }

    /// What is answered when all is well.
    pub(super) fn answers<T: JsonSchema>(self, status: u16) -> Operation {
        Operation { status, answer: Some(of::<T>), ..self }
    }

    /// The status of an answer without a body.
    pub(super) fn with(self, status: u16) -> Operation {
        Operation { status, ..self }
    }
}
