//! What a matcher expects, in words.

use std::fmt;

use super::kinds::{Contains, Matcher};
use super::show::show;

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
