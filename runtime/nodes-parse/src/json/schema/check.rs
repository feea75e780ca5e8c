//! What makes a schema itself invalid: Ajv refuses unknown keywords and formats as well as malformed ones.

use regress::Regex;
use rustc_hash::FxHashMap;

use flotilla_value::{Object, Str, Value};

/// Deeper than this a schema is refused.
const MAX_DEPTH: usize = 200;

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum SchemaError {
    /// An unknown or malformed keyword, with its place.
    #[error("schema is invalid: {0}")]
    Keyword(String),
    /// A reference that leads nowhere in this schema.
    #[error("can't resolve reference {0}")]
    Reference(String),
    /// Nested too deeply.
    #[error("schema is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// What a first walk through a schema finds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Compiled patterns by their text.
    pub(super) patterns: FxHashMap<Str, Regex>,
    /// Schemas by `$id`.
    pub(super) ids: FxHashMap<Str, Value>,
    /// Every `$ref`.
    pub(super) references: Vec<Str>,
}

const TYPES: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];
const SCHEMAS: [&str; 2] = ["http://json-schema.org/draft-06/schema", "http://json-schema.org/draft-07/schema"];

impl Found {
    /// Walks a schema.
    pub(super) fn walk(&mut self, schema: &Value, at: &str, depth: usize) -> Result<(), SchemaError> {
        if depth > MAX_DEPTH {
            return Err(SchemaError::TooDeep);
        }
        match schema {
            Value::Bool(_) => Ok(()),
            Value::Object(object) => {
                object.iter().try_for_each(|(key, value)| self.keyword(object, key, value, at, depth + 1))
            }
            _ => Err(SchemaError::Keyword(format!("{at} must be an object or a boolean"))),
        }
    }

    fn keyword(
        &mut self,
        schema: &Object,
        key: &Str,
        value: &Value,
        at: &str,
        depth: usize,
    ) -> Result<(), SchemaError> {
        let refuse = |what: &str| Err(SchemaError::Keyword(format!("{at}/{key} {what}")));
        let count = || value.as_number().is_some_and(|number| number >= 0.0 && number.fract() == 0.0);
        let names = |value: &Value| {
            value.as_array().is_some_and(|names| names.iter().all(|name| matches!(name, Value::String(_))))
        };
        match key.as_str() {
            "$schema" => match value.as_str().map(|uri| uri.trim_end_matches('#')) {
                Some(uri) if SCHEMAS.contains(&uri) => Ok(()),
                _ => refuse("is not a known meta-schema"),
            },
            "$id" => {
                let Some(id) = value.as_str() else { return refuse("must be a string") };
                self.ids.insert(Str::new(id), Value::from(schema.clone()));
                Ok(())
            }
            "$ref" => {
                let Value::String(reference) = value else { return refuse("must be a string") };
                self.references.push(reference.clone());
                Ok(())
            }
            "title" | "description" | "$comment" | "contentMediaType" | "contentEncoding" => match value {
                Value::String(_) => Ok(()),
                _ => refuse("must be a string"),
            },
            "default" | "const" | "examples" | "deprecated" | "readOnly" | "writeOnly" | "nullable" => Ok(()),
            "type" => {
                let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
                match value {
                    Value::Array(all) if !all.is_empty() && all.iter().all(known) => Ok(()),
                    one if known(one) => Ok(()),
                    _ => refuse("must name types"),
                }
            }
            "enum" => match value {
                Value::Array(items) if !items.is_empty() => Ok(()),
                _ => refuse("must be a list with elements"),
            },
            "multipleOf" if value.as_number().is_none_or(|number| number <= 0.0) => refuse("must be > 0"),
            "maximum" | "minimum" | "exclusiveMaximum" | "exclusiveMinimum" | "multipleOf" => match value {
                Value::Number(_) => Ok(()),
                _ => refuse("must be number"),
            },
            "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties" => {
                if count() {
                    Ok(())
                } else {
                    refuse("must be a whole number from 0")
                }
            }
            "uniqueItems" => match value {
                Value::Bool(_) => Ok(()),
                _ => refuse("must be boolean"),
            },
            "pattern" => match value {
                Value::String(pattern) => self.pattern(pattern, at),
                _ => refuse("must be a string"),
            },
            "required" => {
                if names(value) {
                    Ok(())
                } else {
                    refuse("must be a list of names")
                }
            }
            "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "additionalItems"
            | "additionalProperties" => self.walk(value, &format!("{at}/{key}"), depth),
            "items" => match value {
                Value::Array(schemas) => self.all(schemas, &format!("{at}/{key}"), depth),
                one => self.walk(one, &format!("{at}/{key}"), depth),
            },
            "allOf" | "anyOf" | "oneOf" => match value {
                Value::Array(schemas) if !schemas.is_empty() => self.all(schemas, &format!("{at}/{key}"), depth),
                _ => refuse("must be a list of schemas"),
            },
            "properties" | "patternProperties" | "definitions" | "$defs" | "dependencies" => {
                let Some(schemas) = value.as_object() else { return refuse("must be object") };
                for (name, schema) in schemas.iter() {
                    if key == "patternProperties" {
                        self.pattern(name, at)?;
                    }
                    if key != "dependencies" || !names(schema) {
                        self.walk(schema, &format!("{at}/{key}/{name}"), depth)?;
                    }
                }
                Ok(())
            }
            _ => refuse("is not a known keyword"),
        }
    }

    fn all(&mut self, schemas: &[Value], at: &str, depth: usize) -> Result<(), SchemaError> {
        schemas.iter().try_for_each(|schema| self.walk(schema, at, depth))
    }

    fn pattern(&mut self, pattern: &Str, at: &str) -> Result<(), SchemaError> {
        let regex = Regex::with_flags(pattern, "u")
            .map_err(|error| SchemaError::Keyword(format!("{at} pattern {pattern:?}: {error}")))?;
        self.patterns.insert(pattern.clone(), regex);
        Ok(())
    }
}
