//! Filters that may not be subscribed.

use super::Config;
use crate::topic::{Filter, covers};

impl Config {
    /// Whether `deny_subscribe` refuses `filter`: each of its patterns refuses what it covers. A plain one refuses share
    /// groups' filters, too; one with `$share/NAME/` only this group's. Filters that are wider than a pattern are not
    /// refused.
    pub fn denies(&self, filter: &Filter) -> bool {
        self.deny_subscribe.iter().filter_map(|pattern| Filter::parse(pattern)).any(|pattern| {
            let same_group = match (&pattern, filter) {
                (Filter::Plain(_), _) => true,
                (Filter::Shared(denied), Filter::Shared(asked)) => denied.name == asked.name,
                (Filter::Shared(_), Filter::Plain(_)) => false,
            };
            same_group && covers(pattern.topics(), filter.topics())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_covers_is_denied_and_nothing_wider() {
        let deny_subscribe = ["secret/#", "a/+", "$share/g/b"].map(str::to_owned).to_vec();
        let config = Config { deny_subscribe, ..Config::default() };
        let denied = |filter: &str| config.denies(&Filter::parse(filter).unwrap());
        for filter in
            ["secret/#", "secret", "secret/+", "secret/x", "$share/g/secret/#", "a/x", "$share/h/a/+", "$share/g/b"]
        {
            assert!(denied(filter), "{filter}");
        }
        for filter in ["#", "+/x", "secrets/x", "a/#", "a/x/y", "b", "$share/h/b", "$share/g/#"] {
            assert!(!denied(filter), "{filter}");
        }
    }
}
