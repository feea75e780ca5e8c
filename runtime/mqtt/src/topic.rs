//! Topics and filters (MQTT 5, section 4.7).

/// True for a filter that may be subscribed: `+` stands alone in a level, `#` alone in the last.
pub fn is_filter(filter: &str) -> bool {
    let levels = filter.split('/').count();
    filter.split('/').enumerate().all(|(at, level)| match level {
        "+" => true,
        "#" => at + 1 == levels,
        other => !other.contains(['+', '#']),
    })
}

/// True for a topic that may be published to, as Node-RED checks it: no wildcards and none of `\b \f \n \r \t \v \0`.
pub fn is_topic(topic: &str) -> bool {
    !topic.is_empty()
        && u16::try_from(topic.len()).is_ok()
        && !topic.contains(['+', '#', '\u{8}', '\u{c}', '\n', '\r', '\t', '\u{b}', '\0'])
}

/// What brokers read at the start of a filter as something else than a topic: shared, queue, stream and exclusive
/// subscriptions.
const SPECIAL: [&str; 5] = ["$share/", "$queue/", "$q/", "$stream/", "$exclusive/"];

/// True for a filter that says itself how its messages are shared: it is left as it is.
pub fn is_special(filter: &str) -> bool {
    SPECIAL.iter().any(|prefix| filter.starts_with(prefix))
}

/// The filter of a shared or otherwise special subscription as its messages' topics match it; any other as it is.
pub fn plain(filter: &str) -> &str {
    let special = SPECIAL.iter().skip(1).find_map(|prefix| filter.strip_prefix(prefix));
    if let Some(plain) = special {
        return plain;
    }
    let shared = filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
    shared.filter(|(group, _)| !group.is_empty()).map_or(filter, |(_, plain)| plain)
}

/// True when a topic is one of a filter's. A filter that begins with a wildcard has no `$` topics [MQTT-4.7.2-1].
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_and_topics() {
        for good in ["#", "+", "a/+/b", "a/#", "/", "", "$share/g/a/+"] {
            assert!(is_filter(good), "{good}");
        }
        for bad in ["a#", "a/#/b", "a+", "a/b+/c"] {
            assert!(!is_filter(bad), "{bad}");
        }
        assert!(is_topic("a/b") && !is_topic("") && !is_topic("a/#") && !is_topic("a\n"));
        assert_eq!(plain("$share/g/a/b"), "a/b");
        assert_eq!(plain("a/b"), "a/b");
        for special in ["$queue/a/b", "$q/a/b", "$stream/a/b", "$exclusive/a/b"] {
            assert!(is_special(special) && plain(special) == "a/b", "{special}");
        }
    }

    #[test]
    fn wildcards_match_levels() {
        for (filter, topic, matched) in [
            ("#", "a/b", true),
            ("a/#", "a", true),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("+/b", "/b", true),
            ("a/+/c", "a/b/c", true),
            ("a/b", "a/b/c", false),
            ("#", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
        ] {
            assert_eq!(matches(filter, topic), matched, "{filter} {topic}");
        }
    }
}
