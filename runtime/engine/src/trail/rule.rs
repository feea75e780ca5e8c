//! Which deliveries are recorded.

use flotilla_value::{Path, Str, Value};

/// Which deliveries are recorded, beside those that fail.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Those that pass this node, by its id; empty: any.
    pub node: Str,
    /// So many, then no more; none: without an end.
    pub next: Option<u64>,
    /// So many of a hundred, by chance; none: all.
    pub percent: Option<f64>,
    /// Those whose message has this property somewhere on its way, with its value.
    pub property: Option<Property>,
}

/// A property of messages.
#[derive(Clone, Debug)]
pub struct Property {
    name: String,
    path: Path,
}

/// A rule that says nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadRule {
    /// The property is no path.
    #[error("\"{given}\" is not a message property: {why}; give one like msg.orderId")]
    Property {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// The share is none.
    #[error("{0} % of the deliveries cannot be recorded: give more than 0 and at most 100")]
    Percent(f64),
    /// It asks for no delivery.
    #[error("0 deliveries cannot be recorded: give 1 or more")]
    Nothing,
}

impl Rule {
    /// A rule from what users say. `property` is like `msg.orderId`, or empty.
    ///
    /// # Errors
    /// [`BadRule`].
    pub fn new(node: &str, next: Option<u64>, percent: Option<f64>, property: &str) -> Result<Rule, BadRule> {
        if let Some(percent) = percent.filter(|percent| !(*percent > 0.0 && *percent <= 100.0)) {
            return Err(BadRule::Percent(percent));
        }
        if next == Some(0) {
            return Err(BadRule::Nothing);
        }
        let property = if property.is_empty() { None } else { Some(Property::parse(property)?) };
        Ok(Rule { node: Str::new(node), next, percent, property })
    }
}

impl Property {
    fn parse(given: &str) -> Result<Property, BadRule> {
        let bare = given.strip_prefix("msg.").unwrap_or(given);
        let path =
            Path::parse(bare).map_err(|why| BadRule::Property { given: given.to_owned(), why: why.to_string() })?;
        Ok(Property { name: format!("msg.{bare}"), path })
    }

    /// Its name, like `msg.orderId`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its value as a text; none when the message does not have it.
    pub(super) fn of(&self, message: &Value) -> Option<String> {
        let value = self.path.get(message).ok().filter(|value| !value.is_nullish())?;
        Some(value.to_text().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_says_nothing_is_refused_with_its_reason() {
        assert!(Rule::new("", None, Some(1.0), "msg.order.id").is_ok());
        assert_eq!(Rule::new("", None, Some(0.0), "").err(), Some(BadRule::Percent(0.0)));
        assert!(matches!(Rule::new("", None, Some(f64::NAN), "").err(), Some(BadRule::Percent(_))));
        let error = Rule::new("", None, None, "msg.a[").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("msg.a[") && error.contains("msg.orderId"), "{error}");
    }
}
