//! Reading matchers.

use serde_json::Value as Json;

use flotilla_engine::expression::Regexp;
use flotilla_value::Path;

use super::super::matcher::{Contains, Matcher, Pattern, Property, TYPES};
use super::super::nodes::near_text;
use super::cursor::Cursor;
use super::literal::{literal, special};

const OPERATORS: &[&str] = &[
    "$any",
    "$approx",
    "$buffer",
    "$contains",
    "$date",
    "$flags",
    "$length",
    "$match",
    "$missing",
    "$not",
    "$oneOf",
    "$type",
];

/// What a message is to look like: property paths, each with what is there.
pub(super) fn message(at: &Cursor<'_>) -> Matcher {
    let properties = at.entries().into_iter().filter_map(|(key, value)| {
        if key.starts_with('$') {
            at.problem(format!(
                "a message is an object of properties; {key} stands for a value: {{\"payload\": {{\"{key}\": ...}}}}"
            ));
            return None;
        }
        match Path::message(key) {
            Ok(path) => Some(Property { text: key.to_owned(), path, matcher: matcher(&value) }),
            Err(error) => {
                value.problem(format!("\"{key}\" is not a property path: {error}"));
                None
            }
        }
    });
    Matcher::Message(properties.collect())
}

/// What a value is to look like.
pub(super) fn matcher(at: &Cursor<'_>) -> Matcher {
    match at.json {
        Json::Array(_) => Matcher::Array(at.items().iter().map(matcher).collect()),
        Json::Object(map) if map.keys().any(|key| key.starts_with('$')) => operator(at),
        Json::Object(_) => Matcher::Object(properties(at)),
        _ => Matcher::Equal(literal(at)),
    }
}

fn properties(at: &Cursor<'_>) -> Vec<(String, Matcher)> {
    at.entries().iter().map(|(key, value)| ((*key).to_owned(), matcher(value))).collect()
}

fn operator(at: &Cursor<'_>) -> Matcher {
    let Json::Object(map) = at.json else { return Matcher::Any };
    if let Some(value) = special(at, map) {
        return Matcher::Equal(value);
    }
    let mut flags = "";
    let mut operators = at.entries();
    for (key, value) in &operators {
        if !OPERATORS.contains(key) {
            value.problem(format!(
                "there is no matcher \"{key}\"{}",
                near_text(key, OPERATORS.iter().copied().filter(|name| *name != "$flags"))
            ));
            return Matcher::Any;
        }
        if *key == "$flags" {
            flags = value.json.as_str().unwrap_or_default();
        }
    }
    operators.retain(|(key, _)| *key != "$flags");
    let [(key, value)] = operators.as_slice() else {
        at.is_not("one matcher: an object with one field that begins with $ (and $flags beside $match)");
        return Matcher::Any;
    };
    if let Some(matcher) = one(key, value, flags) {
        return matcher;
    }
    Matcher::Any
}

fn one(key: &str, at: &Cursor<'_>, flags: &str) -> Option<Matcher> {
    Some(match key {
        "$any" => yes(at, Matcher::Any)?,
        "$missing" => yes(at, Matcher::Missing)?,
        "$match" => pattern(at, flags)?,
        "$type" => {
            let name = at.text()?;
            if !TYPES.contains(&name) {
                at.problem(format!("\"{name}\" is not a type; there are: {}", TYPES.join(", ")));
                return None;
            }
            Matcher::Type(name.to_owned())
        }
        "$approx" => match at.json.as_array().map(Vec::as_slice) {
            Some([value, within]) if value.is_number() && within.as_f64().is_some_and(|within| within >= 0.0) => {
                Matcher::Approx(value.as_f64()?, within.as_f64()?)
            }
            _ => {
                at.is_not("a number and how far off it may be, for example [20.4, 0.01]");
                return None;
            }
        },
        "$length" => Matcher::Length(Box::new(matcher(at))),
        "$not" => Matcher::Not(Box::new(matcher(at))),
        "$oneOf" => Matcher::OneOf(at.items().iter().map(matcher).collect()),
        "$contains" => Matcher::Contains(match at.json {
            Json::Object(_) => Contains::Properties(properties(at)),
            Json::Array(_) => Contains::Items(at.items().iter().map(matcher).collect()),
            Json::String(text) => Contains::Text(text.clone()),
            _ => {
                at.is_not("an object, an array or a text");
                return None;
            }
        }),
        _ => {
            at.problem(format!("{key} stands alone: {{\"{key}\": ...}}"));
            return None;
        }
    })
}

/// `$any` and `$missing` say only that they are there.
fn yes(at: &Cursor<'_>, matcher: Matcher) -> Option<Matcher> {
    if at.json.as_bool() != Some(true) {
        at.is_not("true");
        return None;
    }
    Some(matcher)
}

fn pattern(at: &Cursor<'_>, flags: &str) -> Option<Matcher> {
    let source = at.text()?;
    match Regexp::new(source, flags) {
        Ok(regexp) => Some(Matcher::Match(Box::new(Pattern { text: format!("/{source}/{flags}"), regexp }))),
        Err(error) => {
            at.problem(error.message);
            None
        }
    }
}
