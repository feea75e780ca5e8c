//! Keywords that apply other schemas.

use flotilla_value::{Object, Str, Value};

use super::problem::{params, step};
use super::validate::{At, Run};

impl At {
    /// Another schema for the same value.
    fn under(&self, keyword: &str) -> At {
        At { instance: self.instance.clone(), schema: format!("{}/{keyword}", self.schema) }
    }

    /// A part of the value.
    fn into_part(self, key: &str) -> At {
        At { instance: self.instance + &step(key), ..self }
    }
}

impl Run<'_> {
    /// `allOf`, `properties`, `items` and so on, in Ajv's order.
    pub(super) fn applicators(&mut self, schema: &Object, value: &Value, at: &At) {
        if let Some(not) = schema.get("not")
            && self.passes(not, value, &at.under("not"), false)
        {
            self.report(at, "not", Object::new(), "must NOT be valid");
        }
        let list = |keyword: &str| schema.get(keyword).and_then(Value::as_array).unwrap_or_default().to_vec();
        let any = list("anyOf");
        if !any.is_empty() {
            let before = self.problems.len();
            let mut passed = false;
            for (index, schema) in any.iter().enumerate() {
                passed |= self.passes(schema, value, &at.under(&format!("anyOf/{index}")), true);
            }
            if passed {
                self.problems.truncate(before);
            } else {
                self.report(at, "anyOf", Object::new(), "must match a schema in anyOf");
            }
        }
        let one = list("oneOf");
        if !one.is_empty() {
            self.one_of(&one, value, at);
        }
        for (index, schema) in list("allOf").iter().enumerate() {
            self.validate(schema, value, &at.under(&format!("allOf/{index}")));
        }
        if let Some(condition) = schema.get("if") {
            let keyword = if self.passes(condition, value, &at.under("if"), false) { "then" } else { "else" };
            if let Some(branch) = schema.get(keyword)
                && !self.passes(branch, value, &at.under(keyword), true)
            {
                let message = format!("must match \"{keyword}\" schema");
                self.report(at, "if", params("failingKeyword", keyword), message);
            }
        }
        match value {
            Value::Object(object) => self.properties(schema, object, at),
            Value::Array(items) => self.items(schema, items, at),
            _ => {}
        }
    }

    fn one_of(&mut self, schemas: &[Value], value: &Value, at: &At) {
        let before = self.problems.len();
        let mut passing = Vec::new();
        for (index, schema) in schemas.iter().enumerate() {
            if self.passes(schema, value, &at.under(&format!("oneOf/{index}")), true) {
                passing.push(Value::Number(index as f64));
            }
        }
        if passing.len() == 1 {
            self.problems.truncate(before);
        } else {
            let passing = if passing.is_empty() {
                Value::Null
            } else {
                self.problems.truncate(before);
                Value::array(passing.into_iter().take(2).collect())
            };
            self.report(at, "oneOf", params("passingSchemas", passing), "must match exactly one schema in oneOf");
        }
    }

    fn properties(&mut self, schema: &Object, object: &Object, at: &At) {
        if let Some(names) = schema.get("propertyNames") {
            for key in object.keys() {
                let before = self.problems.len();
                if !self.passes(names, &Value::String(key.clone()), &at.under("propertyNames"), true) {
                    for problem in &mut self.problems[before..] {
                        problem.params.insert("propertyName", key.clone());
                    }
                    self.report(
                        at,
                        "propertyNames",
                        params("propertyName", key.clone()),
                        "property name must be valid",
                    );
                }
            }
        }
        let known = schema.get("properties").and_then(Value::as_object);
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let covered = |run: &Self, key: &Str| {
            known.is_some_and(|known| known.contains_key(key))
                || patterns.is_some_and(|patterns| patterns.keys().any(|pattern| run.schema.matches(pattern, key)))
        };
        if let Some(additional) = schema.get("additionalProperties") {
            for (key, value) in object.iter() {
                if covered(self, key) {
                    continue;
                }
                if *additional == Value::Bool(false) {
                    let particulars = params("additionalProperty", key.clone());
                    self.report(at, "additionalProperties", particulars, "must NOT have additional properties");
                } else {
                    self.validate(additional, value, &at.under("additionalProperties").into_part(key));
                }
            }
        }
        self.dependencies(schema, object, at);
        for (key, schema) in known.into_iter().flat_map(Object::iter) {
            if let Some(value) = object.get(key).filter(|value| !value.is_undefined()) {
                self.validate(schema, value, &at.under(&format!("properties{}", step(key))).into_part(key));
            }
        }
        for (pattern, schema) in patterns.into_iter().flat_map(Object::iter) {
            for (key, value) in object.iter() {
                if self.schema.matches(pattern, key) {
                    let at = at.under(&format!("patternProperties{}", step(pattern))).into_part(key);
                    self.validate(schema, value, &at);
                }
            }
        }
    }

    fn dependencies(&mut self, schema: &Object, object: &Object, at: &At) {
        for (key, wanted) in schema.get("dependencies").and_then(Value::as_object).into_iter().flat_map(Object::iter) {
            if !object.contains_key(key) {
                continue;
            }
            let Value::Array(names) = wanted else {
                self.validate(wanted, &Value::from(object.clone()), &at.under(&format!("dependencies{}", step(key))));
                continue;
            };
            let all = names.iter().map(Value::to_text).collect::<Vec<_>>().join(", ");
            for name in names.iter().map(Value::to_text).filter(|name| !object.contains_key(name)) {
                let mut particulars = params("property", key.clone());
                particulars.insert("missingProperty", name);
                particulars.insert("depsCount", names.len() as f64);
                particulars.insert("deps", all.as_str());
                let noun = if names.len() == 1 { "property" } else { "properties" };
                let message = format!("must have {noun} {all} when property {key} is present");
                self.report(at, "dependencies", particulars, message);
            }
        }
    }

    fn items(&mut self, schema: &Object, items: &[Value], at: &At) {
        match schema.get("items") {
            Some(Value::Array(schemas)) => {
                for (index, (schema, item)) in schemas.iter().zip(items).enumerate() {
                    self.validate(schema, item, &at.under(&format!("items/{index}")).into_part(&index.to_string()));
                }
                match schema.get("additionalItems") {
                    Some(Value::Bool(false)) if items.len() > schemas.len() => {
                        let message = format!("must NOT have more than {} items", schemas.len());
                        self.report(at, "additionalItems", params("limit", schemas.len() as f64), message);
                    }
                    Some(rest) => {
                        for (index, item) in items.iter().enumerate().skip(schemas.len()) {
                            self.validate(rest, item, &at.under("additionalItems").into_part(&index.to_string()));
                        }
                    }
                    None => {}
                }
            }
            Some(schema) => {
                for (index, item) in items.iter().enumerate() {
                    self.validate(schema, item, &at.under("items").into_part(&index.to_string()));
                }
            }
            None => {}
        }
        if let Some(wanted) = schema.get("contains")
            && !items.iter().any(|item| self.passes(wanted, item, &at.under("contains"), false))
        {
            self.report(at, "contains", params("minContains", 1.0), "must contain at least 1 valid item(s)");
        }
    }
}
