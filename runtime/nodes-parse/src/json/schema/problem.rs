//! What is wrong with a value, in Ajv's form.

use flotilla_value::{Object, Str, Value};

/// One violated keyword.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Problem {
    /// JSON pointer to the value.
    pub(super) instance_path: String,
    /// JSON pointer to the keyword.
    pub(super) schema_path: String,
    /// The keyword.
    pub(super) keyword: &'static str,
    /// The keyword's particulars.
    pub(super) params: Object,
    /// The text, without the path.
    pub(super) message: String,
}

impl Problem {
    /// An element of `msg.schemaError`.
    pub(in super::super) fn value(&self) -> Value {
        let parts = [
            ("instancePath", Value::from(self.instance_path.as_str())),
            ("schemaPath", Value::from(self.schema_path.as_str())),
            ("keyword", Value::from(self.keyword)),
            ("params", Value::from(self.params.clone())),
            ("message", Value::from(self.message.as_str())),
        ];
        Value::from(parts.into_iter().collect::<Object>())
    }
}

/// All problems on one line: `data/a must be string, data/b must be number`.
pub(in super::super) fn errors_text(problems: &[Problem]) -> String {
    let texts: Vec<String> =
        problems.iter().map(|problem| format!("data{} {}", problem.instance_path, problem.message)).collect();
    texts.join(", ")
}

/// A step of a JSON pointer (RFC 6901).
pub(super) fn step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// `params` of one member.
pub(super) fn params(name: &'static str, value: impl Into<Value>) -> Object {
    [(Str::new_static(name), value.into())].into_iter().collect()
}
