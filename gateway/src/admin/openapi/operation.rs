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
    /// The status of the same answer where it was done before.
    pub(super) before: Option<u16>,
    /// With `follow=true` it is answered with server-sent events.
    pub(super) follows: bool,
}

/// A route without a body, answered 200.
pub(super) fn get<A: JsonSchema>(path: &'static str, summary: &'static str) -> Operation {
    Operation {
        method: "GET",
        path,
        summary,
        query: None,
        body: None,
        status: 200,
        answer: Some(of::<A>),
        before: None,
        follows: false,
    }
}

/// A route that changes something, answered 204.
pub(super) fn change(method: &'static str, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        method,
        path,
        summary,
        query: None,
        body: None,
        status: 204,
        answer: None,
        before: None,
        follows: false,
    }
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

    /// The same is answered with this status where it was done before.
    pub(super) fn before(self, status: u16) -> Operation {
        Operation { before: Some(status), ..self }
    }

    /// With `follow=true` it is answered with server-sent events.
    pub(super) fn follows(self) -> Operation {
        Operation { follows: true, ..self }
    }

    /// The status of an answer without a body.
    pub(super) fn with(self, status: u16) -> Operation {
        Operation { status, ..self }
    }
}
