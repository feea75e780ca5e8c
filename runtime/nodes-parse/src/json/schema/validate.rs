//! Checking a value against a schema.

use flotilla_value::{Object, Str, Value};
use regress::limit;

use super::check::{Found, SchemaError};
use super::problem::Problem;

/// References that lead to each other without getting anywhere are cut off here.
const MAX_DEPTH: usize = 200;
/// Steps that all patterns may take on one value: some need time that grows exponentially with a text.
const STEPS: u64 = 100_000_000;

/// A schema that was found valid.
#[derive(Debug)]
pub(in super::super) struct Schema {
    root: Value,
    found: Found,
}

/// One run over a value.
pub(super) struct Run<'a> {
    pub(super) schema: &'a Schema,
    pub(super) problems: Vec<Problem>,
    pub(super) depth: usize,
}

/// Where a run is.
#[derive(Clone)]
pub(super) struct At {
    /// JSON pointer to the value.
    pub(super) instance: String,
    /// JSON pointer to the schema.
    pub(super) schema: String,
}

impl Schema {
    /// Checks the schema itself and compiles its patterns.
    pub(in super::super) fn new(schema: &Value) -> Result<Schema, SchemaError> {
        let mut found = Found::default();
        found.walk(schema, "#", 0)?;
        let schema = Schema { root: schema.clone(), found };
        for reference in &schema.found.references {
            schema.resolve(reference).ok_or_else(|| SchemaError::Reference(reference.to_string()))?;
        }
        Ok(schema)
    }

    /// Everything that is wrong with a value.
    pub(in super::super) fn problems(&self, value: &Value) -> Vec<Problem> {
        let mut run = Run { schema: self, problems: Vec::new(), depth: 0 };
        let top = At { instance: String::new(), schema: "#".to_owned() };
        if limit::within(STEPS, || run.validate(&self.root, value, &top)).is_err() {
            // What was found after the bound was reached says nothing.
            run.problems.clear();
            let message = "could not be checked: a pattern of the schema takes too many steps on a text of it";
            run.report(&top, "pattern", Object::new(), message);
        }
        run.problems
    }

    /// Where a `$ref` leads: a pointer into this schema, or the `$id` of a part of it.
    pub(super) fn resolve(&self, reference: &str) -> Option<Value> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let own = self.root.get("$id");
        let start = match base {
            "" => self.root.clone(),
            base if own.as_str().is_some_and(|id| id.trim_end_matches('#') == base) => self.root.clone(),
            base => {
                self.found.ids.iter().find(|(id, _)| id.trim_end_matches('#') == base).map(|(_, part)| part.clone())?
            }
        };
        if fragment.is_empty() {
            return Some(start);
        }
        let Some(pointer) = fragment.strip_prefix('/') else {
            return self.found.ids.get(format!("#{fragment}").as_str()).cloned();
        };
        pointer.split('/').try_fold(start, |at, part| {
            let part = part.replace("%25", "%").replace("~1", "/").replace("~0", "~");
            match &at {
                Value::Object(object) => object.get(&part).cloned(),
                Value::Array(items) => items.get(part.parse::<usize>().ok()?).cloned(),
                _ => None,
            }
        })
    }

    /// True when a pattern of the schema matches; every pattern was compiled at the start.
    pub(super) fn matches(&self, pattern: &Str, text: &str) -> bool {
        self.found.patterns.get(pattern).is_none_or(|regex| regex.find(text).is_some())
    }
}

impl Run<'_> {
    /// Notes a problem.
    pub(super) fn report(&mut self, at: &At, keyword: &'static str, params: Object, message: impl Into<String>) {
        self.problems.push(Problem {
            instance_path: at.instance.clone(),
            schema_path: format!("{}/{keyword}", at.schema),
            keyword,
            params,
            message: message.into(),
        });
    }

    /// Validates apart from what was found so far: true when nothing is wrong, else the new problems are kept if asked for.
    pub(super) fn passes(&mut self, schema: &Value, value: &Value, at: &At, keep: bool) -> bool {
        let before = self.problems.len();
        self.validate(schema, value, at);
        let passed = self.problems.len() == before;
        if !keep {
            self.problems.truncate(before);
        }
        passed
    }

    /// Validates a value against a schema.
    pub(super) fn validate(&mut self, schema: &Value, value: &Value, at: &At) {
        let object = match schema {
            Value::Bool(false) => {
                let at = At { instance: at.instance.clone(), schema: at.schema.clone() };
                return self.report(&at, "false schema", Object::new(), "boolean schema is false");
            }
            Value::Object(object) if self.depth < MAX_DEPTH => object,
            _ => return,
        };
        self.depth += 1;
        if let Some(Value::String(reference)) = object.get("$ref") {
            // Ajv also looks at what stands beside a reference.
            if let Some(target) = self.schema.resolve(reference) {
                self.validate(&target, value, &At { instance: at.instance.clone(), schema: reference.to_string() });
            }
        }
        self.keywords(object, value, at);
        self.applicators(object, value, at);
        self.depth -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::errors_text;
    use super::*;
    use flotilla_value::{parse_json, stringify};

    fn text(schema: &str, value: &str) -> String {
        let schema = parse_json(schema.as_bytes()).unwrap();
        match Schema::new(&schema) {
            Ok(schema) => errors_text(&schema.problems(&parse_json(value.as_bytes()).unwrap())),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn texts_are_those_of_ajv() {
        let schema = r#"{"type":"object","properties":{"number":{"type":"number","minimum":2},"string":{"type":"string","maxLength":3,"pattern":"^a"},
            "l":{"type":"array","items":{"enum":[1,"x"]},"uniqueItems":true}},"required":["number"],"additionalProperties":false}"#;
        assert_eq!(text(schema, r#"{"number":3,"string":"abc","l":[1,"x"]}"#), "");
        assert_eq!(
            text(schema, r#"{"number":"foo","string":3}"#),
            "data/number must be number, data/string must be string"
        );
        assert_eq!(
            text(schema, r#"{"string":"bcde","more":1,"l":[1,1,2]}"#),
            "data must have required property 'number', data must NOT have additional properties, \
             data/string must NOT have more than 3 characters, data/string must match pattern \"^a\", \
             data/l must NOT have duplicate items (items ## 1 and 0 are identical), data/l/2 must be equal to one of the allowed values"
        );
    }

    #[test]
    fn schemas_combine() {
        let schema = r##"{"definitions":{"n":{"type":"integer"}},"anyOf":[{"$ref":"#/definitions/n"},{"const":"x"}],"not":{"const":3}}"##;
        assert_eq!(text(schema, "1"), "");
        assert_eq!(text(schema, "3"), "data must NOT be valid");
        assert_eq!(
            text(schema, "1.5"),
            "data must be integer, data must be equal to constant, data must match a schema in anyOf"
        );
        assert_eq!(
            text(r#"{"if":{"type":"string"},"then":{"minLength":2},"else":{"type":"null"}}"#, "\"a\""),
            "data must NOT have fewer than 2 characters, data must match \"then\" schema"
        );
        assert_eq!(
            text(r#"{"oneOf":[{"type":"number"},{"minimum":1}]}"#, "2"),
            "data must match exactly one schema in oneOf"
        );
        assert_eq!(
            text(r##"{"properties":{"next":{"$ref":"#"}},"required":["v"]}"##, r#"{"v":1,"next":{}}"#),
            "data/next must have required property 'v'"
        );
    }

    #[test]
    fn schemas_that_ajv_refuses() {
        for schema in [
            r#"{"type":"thing"}"#,
            r#"{"unknown":1}"#,
            r#"{"format":"email"}"#,
            r#"{"pattern":"("}"#,
            r##"{"$ref":"#/nowhere"}"##,
            r#"{"$schema":"http://json-schema.org/draft-04/schema#"}"#,
            "[]",
        ] {
            assert!(Schema::new(&parse_json(schema.as_bytes()).unwrap()).is_err(), "{schema}");
        }
    }

    #[test]
    fn problems_have_the_form_of_ajv() {
        let schema = Schema::new(&parse_json(br#"{"properties":{"a/b":{"type":"number"}}}"#).unwrap()).unwrap();
        let problems = schema.problems(&parse_json(br#"{"a/b":"x"}"#).unwrap());
        assert_eq!(
            stringify(&problems[0].value()).unwrap().unwrap(),
            r##"{"instancePath":"/a~1b","schemaPath":"#/properties/a~1b/type","keyword":"type","params":{"type":"number"},"message":"must be number"}"##
        );
        let endless = Schema::new(&parse_json(br##"{"$ref":"#"}"##).unwrap()).unwrap();
        assert!(endless.problems(&Value::Null).is_empty());
    }
}
