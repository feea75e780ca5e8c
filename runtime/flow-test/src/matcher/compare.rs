//! Comparing a value with what it is to look like.

use std::fmt;

use flotilla_value::Value;

use super::budget::Budget;
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
    /// It is not known whether it differs: a regular expression took too many steps, and `found` says so. The value does not
    /// match then, and with `$not` before it does not either.
    pub undecided: bool,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        if self.undecided {
            return write!(f, "undecided whether it is {}: {}", self.wanted, self.found);
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
        self.check_within(value, &Budget::default())
    }

    /// As [`Matcher::check`], with the steps of an expectation that compares more than this value.
    pub(crate) fn check_within(&self, value: &Value, budget: &Budget) -> Result<(), Mismatch> {
        self.at("", value, budget)
    }

    fn at(&self, path: &str, value: &Value, budget: &Budget) -> Result<(), Mismatch> {
        let holds = match self {
            Matcher::Message(properties) => {
                return all(properties.iter().map(|property| {
                    let found = property.path.get(value).unwrap_or_default();
                    property.matcher.at(&join(path, &property.text), &found, budget)
                }));
            }
            Matcher::Array(items) => return self.each_item(items, path, value, budget),
            Matcher::Object(properties) => return self.each_property(properties, path, value, budget),
            Matcher::Contains(Contains::Properties(properties)) if value.as_object().is_some() => {
                let property =
                    |(key, matcher): &(String, Matcher)| matcher.at(&join(path, key), &value.get(key), budget);
                return all(properties.iter().map(property));
            }
            Matcher::Contains(Contains::Properties(_)) => false,
            Matcher::Contains(Contains::Items(items)) => match value {
                Value::Array(found) => {
                    let differs = || self.differs(path, value);
                    let item =
                        |wanted: &Matcher| any(found.iter().map(|found| wanted.at(path, found, budget)), differs);
                    return all(items.iter().map(item));
                }
                _ => false,
            },
            Matcher::Contains(Contains::Text(part)) => value.as_str().is_some_and(|text| text.contains(part.as_str())),
            Matcher::Equal(wanted) => wanted == value,
            Matcher::Any => !value.is_undefined(),
            Matcher::Missing => value.is_undefined(),
            Matcher::Match(pattern) => match value.as_str().map(|text| budget.finds(&pattern.regexp, text)) {
                Some(Ok(found)) => found,
                Some(Err(found)) => {
                    return Err(Mismatch { found, undecided: true, ..self.differs(path, value) });
                }
                None => false,
            },
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
                return wanted.at(&join(path, "length"), &Value::Number(length as f64), budget);
            }
            Matcher::OneOf(matchers) => {
                let each = matchers.iter().map(|matcher| matcher.at(path, value, budget));
                return any(each, || self.differs(path, value));
            }
            Matcher::Not(matcher) => match matcher.at(path, value, budget) {
                Ok(()) => false,
                Err(mismatch) if mismatch.undecided => return Err(mismatch),
                Err(_) => true,
            },
        };
        if holds { Ok(()) } else { Err(self.differs(path, value)) }
    }

    fn each_item(&self, items: &[Matcher], path: &str, value: &Value, budget: &Budget) -> Result<(), Mismatch> {
        let found = value.as_array().ok_or_else(|| self.differs(path, value))?;
        if found.len() != items.len() {
            return Err(self.differs(path, value));
        }
        let pairs = items.iter().zip(found).enumerate();
        all(pairs.map(|(at, (matcher, found))| matcher.at(&format!("{path}[{at}]"), found, budget)))
    }

    fn each_property(
        &self,
        properties: &[(String, Matcher)],
        path: &str,
        value: &Value,
        budget: &Budget,
    ) -> Result<(), Mismatch> {
        let found = value.as_object().ok_or_else(|| self.differs(path, value))?;
        let property = |(key, matcher): &(String, Matcher)| matcher.at(&join(path, key), &value.get(key), budget);
        let named = all(properties.iter().map(property));
        if named.as_ref().is_err_and(|mismatch| !mismatch.undecided) {
            return named;
        }
        let more = found.iter().find(|(key, value)| {
            !value.is_undefined() && !properties.iter().any(|(known, _)| known.as_str() == key.as_str())
        });
        match more {
            Some((key, value)) => Err(Mismatch {
                path: join(path, key),
                wanted: "no such property ($contains looks only at those that it names)".to_owned(),
                found: show(value),
                undecided: false,
            }),
            None => named,
        }
    }

    fn differs(&self, path: &str, value: &Value) -> Mismatch {
        let found = if value.is_undefined() { "nothing".to_owned() } else { show(value) };
        Mismatch { path: path.to_owned(), wanted: self.to_string(), found, undecided: false }
    }
}

/// True for all: the first that differs, else the first of which it is not known.
fn all(each: impl Iterator<Item = Result<(), Mismatch>>) -> Result<(), Mismatch> {
    let mut undecided = None;
    for mismatch in each.filter_map(Result::err) {
        if !mismatch.undecided {
            return Err(mismatch);
        }
        undecided = undecided.or(Some(mismatch));
    }
    undecided.map_or(Ok(()), Err)
}

/// True for one of them: else the first of which it is not known, else what `differs` says.
fn any(each: impl Iterator<Item = Result<(), Mismatch>>, differs: impl Fn() -> Mismatch) -> Result<(), Mismatch> {
    let mut undecided = None;
    for one in each {
        match one {
            Ok(()) => return Ok(()),
            Err(mismatch) if mismatch.undecided => undecided = undecided.or(Some(mismatch)),
            Err(_) => {}
        }
    }
    Err(undecided.unwrap_or_else(differs))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use flotilla_engine::expression::Regexp;

    use super::*;
    use crate::matcher::Pattern;
    use crate::matcher::budget::EACH;

    /// A pattern that is not done with this text within its steps.
    const TOO_MUCH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";

    /// Too few for an endless pattern as well as 100 million are, and sooner told.
    const FEW: u64 = 1_000_000;

    fn pattern(source: &str) -> Matcher {
        let regexp = Regexp::new(source, "").unwrap();
        Matcher::Match(Box::new(Pattern { text: format!("/{source}/"), regexp }))
    }

    fn endless() -> Matcher {
        pattern("^(a+)+$")
    }

    #[test]
    fn a_pattern_that_takes_too_many_steps_passes_nowhere() {
        let (text, list) = (Value::from(TOO_MUCH), Value::array(vec![Value::from(TOO_MUCH)]));
        let not = |matcher| Matcher::Not(Box::new(matcher));
        let items = |matcher| Matcher::Contains(Contains::Items(vec![matcher]));
        for (matcher, value) in [
            (endless(), &text),
            (not(endless()), &text),
            (not(not(endless())), &text),
            (Matcher::OneOf(vec![pattern("b"), endless()]), &text),
            (not(Matcher::OneOf(vec![endless(), pattern("b")])), &text),
            (Matcher::Array(vec![endless()]), &list),
            (not(Matcher::Array(vec![endless()])), &list),
            (items(endless()), &list),
            (not(items(not(endless()))), &list),
        ] {
            let mismatch = matcher.check_within(value, &Budget::of(FEW)).unwrap_err();
            let said = mismatch.to_string();
            assert!(
                mismatch.undecided && said.contains("undecided whether it is a text that matches /^(a+)+$/"),
                "{said}"
            );
            assert!(said.contains("steps on a text"), "{said}");
        }
    }

    #[test]
    fn what_is_known_without_the_pattern_is_decided() {
        let (text, two) = (Value::from(TOO_MUCH), Value::array(vec![Value::from(TOO_MUCH), Value::from("b")]));
        let not = |matcher| Matcher::Not(Box::new(matcher));
        let check = |matcher: &Matcher, value: &Value| matcher.check_within(value, &Budget::of(FEW));
        assert_eq!(check(&Matcher::OneOf(vec![endless(), pattern("a")]), &text), Ok(()));
        let neither = Matcher::Array(vec![endless(), pattern("c")]);
        assert!(check(&neither, &two).is_err_and(|mismatch| !mismatch.undecided), "the second item differs anyway");
        assert_eq!(check(&not(neither), &two), Ok(()));
        assert_eq!(check(&not(pattern("b")), &text), Ok(()));
        assert!(check(&not(pattern("a")), &text).is_err_and(|mismatch| !mismatch.undecided));
    }

    #[test]
    fn without_an_expectation_around_it_has_100_million_steps() {
        let said = endless().check(&Value::from(TOO_MUCH)).unwrap_err().to_string();
        assert!(said.contains("takes more than 100000000 steps on a text"), "{said}");
    }

    #[test]
    fn patterns_of_an_expectation_share_its_steps() {
        const MANY: usize = 50;
        let list = Value::array(vec![Value::from(TOO_MUCH); MANY]);
        for matcher in [
            Matcher::Array(vec![endless(); MANY]),
            Matcher::Contains(Contains::Items(vec![endless()])),
            Matcher::OneOf(vec![Matcher::Array(vec![endless(); MANY]), Matcher::Type("string".to_owned())]),
        ] {
            let budget = Budget::of(FEW);
            let said = matcher.check_within(&list, &budget).unwrap_err();
            assert!(said.undecided, "{said}");
            assert_eq!(budget.used(), FEW + (MANY as u64 - 1) * EACH, "{matcher}");
        }
        let budget = Budget::of(FEW);
        (0..MANY).for_each(|_| drop(endless().check_within(&Value::from(TOO_MUCH), &budget)));
        assert_eq!(budget.used(), FEW + (MANY as u64 - 1) * EACH, "several values of one expectation");
    }

    #[test]
    fn a_long_text_that_others_leave_too_few_steps_for_is_undecided_and_says_why() {
        let (long, slow) = (Value::from("ab".repeat(20_000)), pattern("^(?:a|b)*$"));
        assert_eq!(slow.check_within(&long, &Budget::of(FEW)), Ok(()));
        let budget = Budget::of(FEW);
        assert!(endless().check_within(&Value::from(TOO_MUCH), &budget).is_err());
        let mismatch = slow.check_within(&long, &budget).unwrap_err();
        let said = mismatch.to_string();
        assert!(mismatch.undecided && said.contains("more than 10000 steps on a text of 40000 bytes"), "{said}");
        assert!(said.contains("Of the 1000000 steps") && said.contains("others had taken 1000000"), "{said}");
    }
}
