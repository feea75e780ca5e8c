//! A value of a tests file and where it stands; problems are gathered, so that all are told at once.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::super::nodes::near_text;
use super::place::{Step, path_of, place_of};
use super::problem::Problem;

/// The text and what is wrong with it so far.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) problems: RefCell<Vec<Problem>>,
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    pub(super) json: &'a Json,
    source: &'a Source<'a>,
    steps: Vec<Step<'a>>,
}

/// An object's fields.
pub(super) struct Fields<'a> {
    pub(super) whole: Cursor<'a>,
    map: &'a Map<String, Json>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a Source<'a>, json: &'a Json) -> Cursor<'a> {
        Cursor { json, source, steps: Vec::new() }
    }

    /// A value inside of this one.
    pub(super) fn inside(&self, step: Step<'a>, json: &'a Json) -> Cursor<'a> {
        let mut steps = self.steps.clone();
        steps.push(step);
        Cursor { json, source: self.source, steps }
    }

    /// The last part of the path that begins with a name: `expect[0]`.
    pub(super) fn place_in_test(&self) -> String {
        path_of(self.steps.get(2..).unwrap_or_default())
    }

    /// Notes what is wrong with the value.
    pub(super) fn problem(&self, message: impl Into<String>) {
        let (line, column) = place_of(self.source.text, &self.steps);
        let problem = Problem { line, column, field: path_of(&self.steps), message: message.into() };
        self.source.problems.borrow_mut().push(problem);
    }

    /// Notes that the value is not what it has to be.
    pub(super) fn is_not(&self, wanted: &str) {
        let mut shown = self.json.to_string();
        if let Some((end, _)) = shown.char_indices().nth(80) {
            shown.truncate(end);
            shown.push_str("...");
        }
        self.problem(format!("{shown} is not {wanted}"));
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.json.as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.is_not("a text with something in it");
        }
        text
    }

    pub(super) fn whole_number(&self, from: u32) -> Option<u32> {
        let number = self.json.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number >= from);
        if number.is_none() {
            self.is_not(&format!("a whole number of {from} or more"));
        }
        number
    }

    /// Seconds, at most an hour.
    pub(super) fn seconds(&self) -> Option<Duration> {
        let seconds = self.json.as_f64().filter(|seconds| (0.0..=3600.0).contains(seconds));
        if seconds.is_none() {
            self.is_not("a number of seconds from 0 to 3600");
        }
        seconds.map(Duration::from_secs_f64)
    }

    pub(super) fn flag(&self) -> Option<bool> {
        let flag = self.json.as_bool();
        if flag.is_none() {
            self.is_not("true or false");
        }
        flag
    }

    /// The items of an array.
    pub(super) fn items(&self) -> Vec<Cursor<'a>> {
        match self.json {
            Json::Array(items) => {
                items.iter().enumerate().map(|(at, item)| self.inside(Step::Index(at), item)).collect()
            }
            _ => {
                self.is_not("an array [...]");
                Vec::new()
            }
        }
    }

    /// The entries of an object with names of the user's.
    pub(super) fn entries(&self) -> Vec<(&'a str, Cursor<'a>)> {
        match self.json {
            Json::Object(map) => {
                map.iter().map(|(key, value)| (key.as_str(), self.inside(Step::Key(key), value))).collect()
            }
            _ => {
                self.is_not("an object {...}");
                Vec::new()
            }
        }
    }

    /// The fields of an object that may have these.
    pub(super) fn fields(&self, known: &[&'static str]) -> Option<Fields<'a>> {
        let Json::Object(map) = self.json else {
            self.is_not("an object {...}");
            return None;
        };
        for (key, value) in map.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let near = near_text(key, known.iter().copied());
            let near = if near.is_empty() { format!("; there are: {}", known.join(", ")) } else { near };
            self.inside(Step::Key(key), value).problem(format!("there is no field \"{key}\" here{near}"));
        }
        Some(Fields { whole: self.clone(), map })
    }
}

impl<'a> Fields<'a> {
    /// A field, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Cursor<'a>> {
        let (key, value) = self.map.get_key_value(key)?;
        Some(self.whole.inside(Step::Key(key), value))
    }

    /// A field that has to be there.
    pub(super) fn need(&self, key: &str) -> Option<Cursor<'a>> {
        let found = self.get(key);
        if found.is_none() {
            self.whole.problem(format!("has no field \"{key}\""));
        }
        found
    }
}
