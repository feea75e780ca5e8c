//! Topic filters, plain and shared.

use flotilla_codec::MAX_LEVELS;

/// The `$share/<name>/` part of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Share {
    /// Share name.
    pub name: Box<str>,
    /// The filter after it.
    pub filter: Box<str>,
}

/// A valid topic filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// One subscription per client.
    Plain(Box<str>),
    /// A share group.
    Shared(Share),
}

impl Filter {
    /// Parses what a SUBSCRIBE carries; `None` when it breaks section 4.7 or 4.8.2.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(shared) = text.strip_prefix("$share/") else {
            return valid(text).then(|| Self::Plain(text.into()));
        };
        let (name, filter) = shared.split_once('/')?;
        let named = !name.is_empty() && !name.contains(['+', '#']);
        (named && valid(filter)).then(|| Self::Shared(Share { name: name.into(), filter: filter.into() }))
    }

    /// The part that topics are matched with.
    pub fn topics(&self) -> &str {
        match self {
            Self::Plain(filter) => filter,
            Self::Shared(share) => &share.filter,
        }
    }
}

fn valid(filter: &str) -> bool {
    if filter.is_empty() {
        return false;
    }
    let mut levels = 0;
    let mut ended = false;
    for level in filter.split('/') {
        levels += 1;
        if ended || (level.len() > 1 && level.contains(['+', '#'])) {
            return false;
        }
        ended = level == "#";
    }
    levels <= MAX_LEVELS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_alone_and_hash_comes_last() {
        for good in ["a", "/", "+", "#", "a/+/b", "a/#", "+/+", "$SYS/#", "//"] {
            assert!(matches!(Filter::parse(good), Some(Filter::Plain(_))), "{good}");
        }
        for bad in ["", "a+", "a/#/b", "#/a", "a/b#", "$share/g", "$share//a", "$share/g/", "$share/+/a"] {
            assert_eq!(Filter::parse(bad), None, "{bad}");
        }
        let deep = "a/".repeat(MAX_LEVELS);
        assert_eq!(Filter::parse(&deep), None);
    }

    #[test]
    fn a_share_is_its_name_and_filter() {
        let share = Share { name: "g".into(), filter: "a/+".into() };
        assert_eq!(Filter::parse("$share/g/a/+"), Some(Filter::Shared(share)));
    }
}
