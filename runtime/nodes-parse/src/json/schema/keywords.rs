//! Keywords that look at the value itself.

use flotilla_value::{Object, Value, number_to_string};

use super::problem::params;
use super::validate::{At, Run};

fn is_type(value: &Value, name: &str) -> bool {
    match (name, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_)) => true,
        ("number", Value::Number(number)) => number.is_finite(),
        ("integer", Value::Number(number)) => number.is_finite() && number.fract() == 0.0,
        ("object", value) => value.type_of() == "object" && !matches!(value, Value::Null | Value::Array(_)),
        _ => false,
    }
}

fn compare(number: f64, comparison: &str, limit: f64) -> bool {
    match comparison {
        "<=" => number <= limit,
        ">=" => number >= limit,
        "<" => number < limit,
        _ => number > limit,
    }
}

impl Run<'_> {
    /// `type`, limits, `enum`, `const` and so on.
    pub(super) fn keywords(&mut self, schema: &Object, value: &Value, at: &At) {
        self.types(schema, value, at);
        match value {
            Value::Number(number) => self.number(schema, *number, at),
            Value::String(text) => {
                let length = text.chars().count();
                self.size(schema, length, ["maxLength", "minLength"], "characters", at);
                if let Some(Value::String(pattern)) = schema.get("pattern")
                    && !self.schema.matches(pattern, text)
                {
                    let message = format!("must match pattern \"{pattern}\"");
                    self.report(at, "pattern", params("pattern", pattern.clone()), message);
                }
            }
            Value::Array(items) => self.array(schema, items, at),
            Value::Object(object) => {
                self.size(schema, object.len(), ["maxProperties", "minProperties"], "properties", at);
                for name in schema.get("required").and_then(Value::as_array).unwrap_or_default() {
                    let name = name.to_text();
                    if object.get(&name).is_none_or(Value::is_undefined) {
                        let message = format!("must have required property '{name}'");
                        self.report(at, "required", params("missingProperty", name), message);
                    }
                }
            }
            _ => {}
        }
        if let Some(expected) = schema.get("const")
            && expected != value
        {
            self.report(at, "const", params("allowedValue", expected.clone()), "must be equal to constant");
        }
        if let Some(Value::Array(allowed)) = schema.get("enum")
            && !allowed.contains(value)
        {
            let allowed = params("allowedValues", Value::Array(allowed.clone()));
            self.report(at, "enum", allowed, "must be equal to one of the allowed values");
        }
    }

    fn types(&mut self, schema: &Object, value: &Value, at: &At) {
        let Some(types) = schema.get("type") else { return };
        let names: Vec<_> =
            types.as_array().map_or_else(|| vec![types.to_text()], |all| all.iter().map(Value::to_text).collect());
        let nullable = schema.get("nullable").is_some_and(Value::truthy) && *value == Value::Null;
        if !nullable && !names.iter().any(|name| is_type(value, name)) {
            self.report(at, "type", params("type", types.clone()), format!("must be {}", names.join(",")));
        }
    }

    fn number(&mut self, schema: &Object, number: f64, at: &At) {
        let limits = [("maximum", "<="), ("minimum", ">="), ("exclusiveMaximum", "<"), ("exclusiveMinimum", ">")];
        for (keyword, comparison) in limits {
            if let Some(limit) = schema.get(keyword).and_then(Value::as_number)
                && !compare(number, comparison, limit)
            {
                let mut particulars = params("comparison", comparison);
                particulars.insert("limit", limit);
                let message = format!("must be {comparison} {}", number_to_string(limit));
                self.report(at, keyword, particulars, message);
            }
        }
        if let Some(factor) = schema.get("multipleOf").and_then(Value::as_number)
            && (number / factor).fract() != 0.0
        {
            let message = format!("must be multiple of {}", number_to_string(factor));
            self.report(at, "multipleOf", params("multipleOf", factor), message);
        }
    }

    fn size(&mut self, schema: &Object, size: usize, keywords: [&'static str; 2], what: &str, at: &At) {
        let [most, least] = keywords;
        for (keyword, word) in [(most, "more"), (least, "fewer")] {
            if let Some(limit) = schema.get(keyword).and_then(Value::as_number)
                && (if word == "more" { size as f64 > limit } else { (size as f64) < limit })
            {
                let message = format!("must NOT have {word} than {} {what}", number_to_string(limit));
                self.report(at, keyword, params("limit", limit), message);
            }
        }
    }

    fn array(&mut self, schema: &Object, items: &[Value], at: &At) {
        self.size(schema, items.len(), ["maxItems", "minItems"], "items", at);
        if schema.get("uniqueItems").is_some_and(Value::truthy) {
            // Ajv looks from the end.
            let double =
                (1..items.len()).rev().find_map(|i| (0..i).rev().find(|j| items[i] == items[*j]).map(|j| (i, j)));
            if let Some((i, j)) = double {
                let mut particulars = params("i", j as f64);
                particulars.insert("j", i as f64);
                let message = format!("must NOT have duplicate items (items ## {i} and {j} are identical)");
                self.report(at, "uniqueItems", particulars, message);
            }
        }
    }
}
