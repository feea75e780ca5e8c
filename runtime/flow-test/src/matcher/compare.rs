//! Comparing a value with what it is to look like.

use std::fmt;

use flotilla_value::Value;

use super::kinds::{Contains, Matcher, type_name};
use super::show::show;

/// Where a value differs from what is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The property, for example `payload.state`; empty for the value itself.
    pub path: String,
    /// What was expected there.
    pub wanted: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "expected {}, found {}", self.wanted, self.found)
    }
}

impl Matcher {
    /// Looks at a value; `Undefined` stands for one that is not there.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, value: &Value) -> Result<(), Mismatch> {
        self.at("", value)
    }

    fn at(&self, path: &str, value: &Value) -> Result<(), Mismatch> {
        let holds = match self {
            Matcher::Message(properties) => {
                return properties.iter().try_for_each(|property| {
                    let found = property.path.get(value).unwrap_or_default();
                    property.matcher.at(&join(path, &property.text), &found)
                });
            }
            Matcher::Array(items) => return self.each_item(items, path, value),
            Matcher::Object(properties) => return self.each_property(properties, path, value),
            Matcher::Contains(Contains::Properties(properties)) if value.as_object().is_some() => {
                return properties.iter().try_for_each(|(key, matcher)| matcher.at(&join(path, key), &value.get(key)));
            }
            Matcher::Contains(Contains::Properties(_)) => false,
            Matcher::Contains(Contains::Items(items)) => match value {
                Value::Array(found) => items.iter().all(|wanted| found.iter().any(|found| wanted.check(found).is_ok())),
                _ => false,
            },
            Matcher::Contains(Contains::Text(part)) => value.as_str().is_some_and(|text| text.contains(part.as_str())),
            Matcher::Equal(wanted) => wanted == value,
            Matcher::Any => !value.is_undefined(),
            Matcher::Missing => value.is_undefined(),
            Matcher::Match(pattern) => value.as_str().is_some_and(|text| pattern.regexp.is_match(text) == Ok(true)),
            Matcher::Type(name) if name == "integer" => value.as_number().is_some_and(|number| number.fract() == 0.0),
            Matcher::Type(name) => type_name(value) == name,
            Matcher::Approx(wanted, within) => {
                value.as_number().is_some_and(|number| (number - wanted).abs() <= *within)
            }
            Matcher::Length(wanted) => {
                let length = match value {
                    Value::Array(items) => items.len(),
                    Value::Buffer(bytes) => bytes.len(),
                    Value::String(text) => text.encode_utf16().count(),
                    _ => return Err(self.differs(path, value)),
                };
                return wanted.at(&join(path, "length"), &Value::Number(length as f64));
            }
            Matcher::OneOf(matchers) => matchers.iter().any(|matcher| matcher.check(value).is_ok()),
            Matcher::Not(matcher) => matcher.check(value).is_err(),
        };
        if holds { Ok(()) } else { Err(self.differs(path, value)) }
    }

    fn each_item(&self, items: &[Matcher], path: &str, value: &Value) -> Result<(), Mismatch> {
        let found = value.as_array().ok_or_else(|| self.differs(path, value))?;
        if found.len() != items.len() {
            return Err(self.differs(path, value));
        }
        items
            .iter()
            .zip(found)
            .enumerate()
            .try_for_each(|(at, (matcher, found))| matcher.at(&format!("{path}[{at}]"), found))
    }

    fn each_property(&self, properties: &[(String, Matcher)], path: &str, value: &Value) -> Result<(), Mismatch> {
        let found = value.as_object().ok_or_else(|| self.differs(path, value))?;
        properties.iter().try_for_each(|(key, matcher)| matcher.at(&join(path, key), &value.get(key)))?;
        let more = found.iter().find(|(key, value)| {
            !value.is_undefined() && !properties.iter().any(|(known, _)| known.as_str() == key.as_str())
        });
        match more {
            Some((key, value)) => Err(Mismatch {
                path: join(path, key),
                wanted: "no such property ($contains looks only at those that it names)".to_owned(),
                found: show(value),
            }),
            None => Ok(()),
        }
    }

    fn differs(&self, path: &str, value: &Value) -> Mismatch {
        let found = if value.is_undefined() { "nothing".to_owned() } else { show(value) };
        Mismatch { path: path.to_owned(), wanted: self.to_string(), found }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |matchers: &[Matcher]| matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let pairs = |pairs: &[(String, Matcher)]| {
            pairs.iter().map(|(key, matcher)| format!("{key:?}:{matcher}")).collect::<Vec<_>>().join(",")
        };
        match self {
            Matcher::Equal(value) => f.write_str(&show(value)),
            Matcher::Any => f.write_str("anything"),
            Matcher::Missing => f.write_str("nothing"),
            Matcher::Array(items) => write!(f, "[{}]", list(items)),
            Matcher::Object(properties) => write!(f, "{{{}}}", pairs(properties)),
            Matcher::Message(properties) => {
                let parts: Vec<String> =
                    properties.iter().map(|property| format!("{}: {}", property.text, property.matcher)).collect();
                f.write_str(&if parts.is_empty() { "any message".to_owned() } else { parts.join(", ") })
            }
            Matcher::Contains(Contains::Properties(properties)) => {
                write!(f, "an object with {{{}}}", pairs(properties))
            }
            Matcher::Contains(Contains::Items(items)) => write!(f, "an array with {}", list(items)),
            Matcher::Contains(Contains::Text(text)) => write!(f, "a text with {text:?}"),
            Matcher::Match(pattern) => write!(f, "a text that matches {}", pattern.text),
            Matcher::Type(name) => write!(f, "a value of type {name}"),
            Matcher::Approx(wanted, within) => write!(f, "{wanted} within {within}"),
            Matcher::Length(length) => write!(f, "something of length {length}"),
            Matcher::OneOf(matchers) => write!(f, "one of {}", list(matchers)),
            Matcher::Not(matcher) => write!(f, "not {matcher}"),
        }
    }
}
